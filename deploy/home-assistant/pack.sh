#!/bin/sh
# sh deploy/home-assistant/pack.sh FOLDER: an add-on repository with all that its image is built from,
# since an add-on is built from its own folder alone.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
checkout=$here/../..
to=${1:?give the folder to make}
mkdir "$to"
cp -R "$here/repository.yaml" "$here/turbo_serve" "$to/"
mkdir -p "$to/turbo_serve/source/deploy"
for file in pyproject.toml README.md CHANGELOG.md LICENSE LICENSE-WEIGHTS.md turbo_stream; do
    cp -R "$checkout/$file" "$to/turbo_serve/source/"
done
cp "$checkout/deploy/requirements.lock" "$checkout/deploy/build.lock" "$to/turbo_serve/source/deploy/"
find "$to" -name __pycache__ -type d -prune -exec rm -r {} +
