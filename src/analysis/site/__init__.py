"""From notebooks to a checked site: execute, stage, render, check.

This package knows notebooks and findings, never estimators. Nothing it holds enters the cache
key of a notebook, so that a change to the site re-renders pages and re-runs no analysis.
"""
