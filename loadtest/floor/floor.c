/* The floor with kept connections: what one core pays for an HTTP answer of these octets on loopback, with epoll and
   nothing else. Whatever arrives in one read counts as one request, so a client must send each in one write.

   usage: floor PORT REPLY    REPLY is a file with head and body, as `tashika-load capture` writes it */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "reply.h"

#define EVENTS 256

static void take(int listener, int poll) {
  int one = 1;
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0) return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event)) close(fd);
  }
}

int main(int count, char **words) {
  struct reply reply;
  int listener = set_out(count, words, &reply, SOCK_NONBLOCK), poll = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[EVENTS];
  char request[65536];
  if (poll < 0 || epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event)) return perror("epoll"), 1;
  for (;;) {
    int ready = epoll_wait(poll, events, EVENTS, -1);
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.fd;
      if (fd == listener) {
        take(listener, poll);
        continue;
      }
      ssize_t got = read(fd, request, sizeof request);
      if (got < 0 && errno == EAGAIN) continue;
      /* An answer that doesn't fit the socket's buffer at once would need state; one of a few kB always fits. */
      if (got <= 0 || write(fd, reply.bytes, reply.length) != (ssize_t)reply.length) close(fd);
    }
  }
}
