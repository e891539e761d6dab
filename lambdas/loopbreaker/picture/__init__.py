"""The picture of a loop, as SVG and in characters. Pure: a `Timeline` in, text out.

loops     a loop as operators look at it, and its JSON
timelines what is remembered of a loop, as a picture takes it
timeline  what is drawn: tasks, moments, counts
lanes     which task stands in which row, and which one replaced it
scale     time to a place from left to right; what is dull is folded
words     title, description, labels
svg       the drawing
text      its twin for a terminal
"""
