/* The floor with one connection for each request: accepts, reads, writes, closes, and nothing else.

   usage: floor_close PORT REPLY    REPLY is a file with head and body, as `tashika-load capture` writes it */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "reply.h"

int main(int count, char **words) {
  struct reply reply;
  int listener = set_out(count, words, &reply, 0);
  char request[65536];
  for (;;) {
    int fd = accept(listener, NULL, NULL);
    if (fd < 0) continue;
    if (read(fd, request, sizeof request) > 0 && write(fd, reply.bytes, reply.length) < 0) perror("write");
    close(fd);
  }
}
