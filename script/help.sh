# Sourced by the scripts beside it before they do anything: for 'script/NAME --help'
# it prints the comment at the top of NAME and ends.
case ${1-} in
    -h | --help)
        sed -n '2,/^[^#]/s/^#\( \|$\)//p' "$0"
        exit
        ;;
esac
