/* What both floors do before they begin: read the reply from its file, listen on loopback. */
struct reply {
  char *bytes;
  size_t length;
};

static int fail(const char *what) {
  perror(what);
  exit(1);
}

static int set_out(int count, char **words, struct reply *reply, int flags) {
  if (count != 3) {
    fprintf(stderr, "usage: %s PORT REPLY\n", words[0]);
    exit(2);
  }
  FILE *file = fopen(words[2], "rb");
  if (!file) fail(words[2]);
  reply->bytes = malloc(1 << 20);
  if (!reply->bytes) fail("malloc");
  reply->length = fread(reply->bytes, 1, 1 << 20, file);
  if (reply->length == 0) fail("an empty reply");
  fclose(file);
  int one = 1, listener = socket(AF_INET, SOCK_STREAM | flags, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in here = {
      .sin_family = AF_INET, .sin_port = htons(atoi(words[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (listener < 0 || bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 4096)) fail("listen");
  return listener;
}
