// A library for LD_PRELOAD that lets a process see a CPU without AVX-512, AVX-VNNI and AMX, whoever asks.
//
// Libraries choose their kernels by the CPUID instruction and not all can be told otherwise. Linux lets a thread ask
// that its CPUID fault (arch_prctl ARCH_SET_CPUID; needs `cpuid_fault` in /proc/cpuinfo). The signal handler below then
// answers in its place, with the bits of wider instruction sets cleared. Threads and forks inherit the fault; exec clears
// it and this constructor, preloaded again, sets it anew. Where the kernel refuses, nothing changes: bench.isa looks.
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <cpuid.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

enum { CPUID_FAULTS = 0, CPUID_WORKS = 1, CPUID_LENGTH = 2 };

// Intel SDM volume 2A, CPUID, leaf 7. Subleaf 0: AVX-512 in ebx and ecx; 4VNNIW, 4FMAPS, VP2INTERSECT, FP16 and AMX in edx.
// Subleaf 1: AVX-VNNI, AVX512-BF16, AMX-FP16 and AVX-IFMA in eax; their successors and AVX10 in edx.
#define BIT(n) (UINT32_C(1) << (n))
static const uint32_t wide_ebx = BIT(16) | BIT(17) | BIT(21) | BIT(26) | BIT(27) | BIT(28) | BIT(30) | BIT(31);
static const uint32_t wide_ecx = BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14);
static const uint32_t wide_edx = BIT(2) | BIT(3) | BIT(8) | BIT(22) | BIT(23) | BIT(24) | BIT(25);
static const uint32_t wide_eax1 = BIT(4) | BIT(5) | BIT(21) | BIT(23);
static const uint32_t wide_edx1 = BIT(4) | BIT(5) | BIT(8) | BIT(10) | BIT(19);

static long set_cpuid(int mode) { return syscall(SYS_arch_prctl, ARCH_SET_CPUID, mode); }

static void answer(greg_t* registers) {
    const uint32_t leaf = (uint32_t)registers[REG_RAX], subleaf = (uint32_t)registers[REG_RCX];
    uint32_t eax, ebx, ecx, edx;
    set_cpuid(CPUID_WORKS);
    __cpuid_count(leaf, subleaf, eax, ebx, ecx, edx);
    set_cpuid(CPUID_FAULTS);
    if (leaf == 7 && subleaf == 0) {
        ebx &= ~wide_ebx;
        ecx &= ~wide_ecx;
        edx &= ~wide_edx;
    } else if (leaf == 7 && subleaf == 1) {
        eax &= ~wide_eax1;
        edx &= ~wide_edx1;
    }
    registers[REG_RAX] = eax;
    registers[REG_RBX] = ebx;
    registers[REG_RCX] = ecx;
    registers[REG_RDX] = edx;
    registers[REG_RIP] += CPUID_LENGTH;
}

static void on_fault(int number, siginfo_t* info, void* context) {
    greg_t* registers = ((ucontext_t*)context)->uc_mcontext.gregs;
    const uint8_t* code = (const uint8_t*)registers[REG_RIP];
    // An address that faulted, so that jumping to nowhere is not mistaken for an instruction that can be read.
    const int is_protection_fault = info->si_code == SI_KERNEL;
    if (is_protection_fault && code[0] == 0x0f && code[1] == 0xa2) {
        answer(registers);
    } else {
        signal(number, SIG_DFL);  // the instruction runs again and ends the process as it would have
    }
}

__attribute__((constructor)) static void hide_wide_instructions(void) {
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};
    sigaction(SIGSEGV, &action, NULL);
    set_cpuid(CPUID_FAULTS);
}
