"""Where codecs meet archives: compress, read, extract, verify and evaluate.

Nothing is imported here, so that `meshset.pipeline.summary` lists an archive without numpy.
"""
