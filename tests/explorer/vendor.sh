#!/bin/sh
# Copies the libraries that the pages are made with, as published, into api/explorer/vendor. Preact's hooks name preact
# by its package; a browser wants a path.
set -eu
cd "$(dirname "$0")"
npm ci --silent
to=../../api/explorer/vendor
cp node_modules/htm/dist/htm.module.js $to/htm.js
grep -v sourceMappingURL node_modules/preact/dist/preact.mjs > $to/preact.js
sed 's#from"preact"#from"./preact.js"#; /sourceMappingURL/d' node_modules/preact/hooks/dist/hooks.mjs > $to/preact-hooks.js
for library in htm preact; do
    version=$(node -p "require('./node_modules/$library/package.json').version")
    printf '== %s %s\n\n' $library "$version"
    cat node_modules/$library/LICENSE
    printf '\n'
done > $to/LICENSES.txt
