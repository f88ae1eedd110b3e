"""From a folder of somebody's own labelled recordings to manifests to train and test on."""
