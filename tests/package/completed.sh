#!/bin/sh
# What a shell makes of a line when Tab is pressed: completed.sh bash|zsh|fish LINE
case $1 in
  bash)
    bash -c '
      . /usr/share/bash-completion/bash_completion
      _completion_loader sockproof
      read -ra COMP_WORDS <<<"$1"
      COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=$1 COMP_POINT=${#1}
      _sockproof
      printf "%s\n" "${COMPREPLY[@]}"' bash "$2"
    ;;
  zsh)
    # zsh completes only at a terminal.
    zsh -f -c '
      zmodload zsh/zpty
      zpty -b shell TERM=dumb zsh -f -i
      zpty -w shell "autoload -Uz compinit && compinit -u -D; PS1=; echo be\gin"
      zpty -r shell text "*begin*"
      zpty -w -n shell "$1"$'\''\t'\''
      for ((i = 0; i < 100; ++i)); do
        sleep 0.1
        while zpty -rt shell text; do printf "%s" "$text"; done
      done
      zpty -d shell' zsh "$2"
    ;;
  fish) fish -c 'complete -C "$argv[1]"' "$2" ;;
esac
