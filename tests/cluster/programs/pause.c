// What holds the namespaces of a pod, and waits to be ended.
#include <signal.h>
#include <unistd.h>

static void End(int signal) { _exit(signal == 0); }

int main(void) {
  signal(SIGTERM, End);
  signal(SIGINT, End);
  for (;;) pause();
}
