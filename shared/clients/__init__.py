"""One module for each outside system: the only place that imports its SDK, and only when first used.

A client raises what shared.errors declares and nothing else, and answers in the records of shared.model.
Vendor models, bodies and messages end here. Clients may be shared between threads.
"""
