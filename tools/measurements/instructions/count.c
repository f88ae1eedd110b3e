/* A plugin for QEMU's user emulation (7.1 and later): counts the instructions of the program.
 *
 * At each getppid(2) it prints how many there were since the last, and begins anew. The functions
 * are declared here as in QEMU's qemu-plugin.h, version 1, so that no header has to be installed.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#define GETPPID_AARCH64 173
#define ADD_U64 0

typedef uint64_t plugin_id;
struct block;

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, struct block *));
void qemu_plugin_register_vcpu_tb_exec_inline(struct block *, int, void *, uint64_t);
size_t qemu_plugin_tb_n_insns(const struct block *);
void qemu_plugin_register_vcpu_syscall_cb(
    plugin_id,
    void (*)(plugin_id, unsigned, int64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
             uint64_t, uint64_t, uint64_t));

int qemu_plugin_version = 1;

static uint64_t count;

static void translated(plugin_id id, struct block *block)
{
    qemu_plugin_register_vcpu_tb_exec_inline(block, ADD_U64, &count, qemu_plugin_tb_n_insns(block));
}

static void called(plugin_id id, unsigned cpu, int64_t number, uint64_t a, uint64_t b, uint64_t c,
                   uint64_t d, uint64_t e, uint64_t f, uint64_t g, uint64_t h)
{
    if (number == GETPPID_AARCH64) {
        fprintf(stderr, "instructions %" PRIu64 "\n", count);
        count = 0;
    }
}

int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_vcpu_syscall_cb(id, called);
    return 0;
}
