"""The parts of the menagerie: shapes, colours, figures, layout, captions, rendering."""
