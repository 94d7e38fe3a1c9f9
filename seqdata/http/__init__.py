"""The network: one seam for what may be asked again, one for what is sent once.

``messages`` is what goes out and comes in, ``curl`` sends a single request, ``surroundings`` is
what the environment has a say in, ``pace`` keeps requests apart, ``transport`` puts it together.
"""
