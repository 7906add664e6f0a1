# Sourced by the scripts for owners of a gateway, which need no environment: sets `python`
# to a Python that is new enough. Their modules are found from wherever they're started.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export PYTHONPATH=$root${PYTHONPATH:+:$PYTHONPATH}
for python in "$root/.venv/bin/python" python3.14 python3; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 14))' 2>/dev/null; then
        break
    fi
    python=
done
if [[ -z $python ]]; then
    printf 'script/%s: this needs Python 3.14 or later.\n' "$(basename "$0")" >&2
    exit 1
fi
