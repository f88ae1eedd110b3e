"""From a folder of somebody's own labelled recordings to manifests, and what is wrong with it."""
