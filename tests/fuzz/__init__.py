"""Properties that hold whatever comes in, and whatever a user sends.

`script/fuzz` tries many more examples of these and of all other properties.
"""
