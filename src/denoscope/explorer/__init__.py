"""The web view of a store and its reports; never loads torch."""
