"""What several codecs are made of. A codec imports from here, and from a neighbour only if it is a variant of it."""
