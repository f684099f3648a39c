// libmnl, and the kernel's numbers of rtnetlink.
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <libmnl/libmnl.h>
