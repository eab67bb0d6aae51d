#!/bin/sh
# run.sh USERS COMMAND...: run a Java program until it is told to quit, or until nobody holds the
# file USERS any more. By itself Java answers SIGQUIT with a list of its threads.
users=$1
shift
"$@" &
java=$!
trap 'kill -9 $java' QUIT TERM
if [ -n "$users" ]; then
    flock --exclusive "$users" true
    kill -9 $java
fi
wait $java
