#!/bin/sh
# One of the examples from other fields, from its data to its figures:
#   sh examples/fields/run.sh NAME [FILE]
# NAME: credit (finance), tumours (medicine), machines (industry), digits (vision), airline or hotels (language).
# FILE: the downloaded table, for those that no package ships (SOURCES.md).
set -eu
here=$(dirname "$0")
name=${1:?which example? credit, tumours, machines, digits, airline or hotels}
data="$here/$name.csv"
if [ ! -f "$data" ]; then
    python3 "$here/data.py" "$name" ${2:+--from "$2"}
fi
case $name in
    credit) set -- --target Status --positive bad ;;
    tumours) set -- --target diagnosis --positive malignant ;;
    machines) set -- --target "Machine failure" ;;
    digits) set -- --target label --kind class --learner mlp --config "$here/digits.toml" ;;
    airline) set -- --target airline_sentiment --learner logistic ;;
    hotels) set -- --target label --positive 1 --learner logistic ;;
    *) echo "there is no example \"$name\"" >&2; exit 2 ;;
esac
exec cargo run -- tool fit --data "$data" "$@"
