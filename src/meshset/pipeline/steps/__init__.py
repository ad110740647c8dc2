"""What the verbs are made of, one module a step, in the order in which a mesh takes them.

collect, prepare, measure, ladder, store, finish; beside them what several steps need.
"""
