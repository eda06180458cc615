"""The pack format: segments, frames, recipes. It knows no project and no purge.

- segment: a stretch of a file that ends where its content says so, stored once in all packs (``segmenter``)
- recipe: which segments, drawings and bytes of its own make up a file (``recipe``); a file's record has one (``file_records``)
- assembly: the bytes that a recipe gives (``assembly``)
- drawing: text of segments as a window of another width shows it (``redraw``), found by its ink (``drawings``)
- frame: segments or records compressed together, checked by a hash (``frames``, ``codec``)
- pack: a header and frames in a file that is written once (``pack_file``), with an index that can be made again (``pack_index``)
- parity: what makes damage to a pack good (``parity``), and a pack with it made good (``mending``)
- pack set: all packs of an archive, read as one (``pack_set``); ``salvage`` reads what is left of damaged ones
- writer: adds files to a set (``pack_writer``) by their recipes (``recipe_builder``), one pack at a time (``pack_builder``),
  merging small ones (``merge_policy``)
"""
