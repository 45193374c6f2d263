"""Images with facts: data sets, each registered under a name."""
