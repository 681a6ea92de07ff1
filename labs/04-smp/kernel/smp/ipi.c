/*
 * Interrupts from hart to hart.
 *
 * The hardware has one bit a hart: "something". What, is in a word of the hart, a bit for each reason. Who
 * sends sets the reason first and interrupts afterwards, and only if the word was empty: else the interrupt that
 * was sent for the other reason is still to be served, or will find both. Who is interrupted clears the hardware's bit first
 * and takes the reasons afterwards. So no reason is ever lost: one that is set before they are taken is among them,
 * and one that is set after finds the word empty, and sends.
 *
 * Order: setting is a release, taking its acquire: what was written before ipi_send() is there in the handler.
 *
 * Source: SBI 1.0, IPI extension; Privileged Architecture 20211203, section 4.1.3 (sip.SSIP).
 */
#include <arch/hart.h>
#include <mazu/atomic.h>
#include <mazu/preempt.h>
#include <mazu/sched.h>
#include <mazu/smp.h>

void ipi_send(u32 hart, enum ipi why)
{
	/*
	 * Set the bits `why` in pcpus[hart].ipi_reasons (a release: the handler is to see what
	 * was written before), then interrupt the hart (arch_ipi_send, by the firmware's id).
	 * Interrupting costs some hundred instructions: leave it out if there were reasons
	 * already, as somebody else has interrupted it for them, and it has not taken them.
	 */
	LAB_TODO(4, 3);
}

/* The reasons that this hart was interrupted for, which are served now. */
static u32 ipi_take(struct pcpu *cpu)
{
	/*
	 * Return all reasons of this hart, and leave none (an acquire). The hardware's bit must
	 * be cleared, too (arch_ipi_clear): but when? Think of a sender at every place between
	 * your instructions.
	 */
	LAB_TODO(4, 3);
}

void ipi_interrupt(const struct trap_frame *frame)
{
	struct pcpu *cpu = this_cpu();
	u32 reasons = ipi_take(cpu);

	cpu->ipi_count++;
	if (unlikely(reasons & IPI_STOP))
		hart_stop(frame);
	if (reasons & IPI_RESCHEDULE)
		preempt_want(cpu);
	if (reasons & IPI_ARRIVE)
		sched_arrive(cpu->rq);
	if (reasons & IPI_CALL)
		smp_call_interrupt();
}

u64 ipi_count(u32 hart)
{
	return hart < CONFIG_CPU_MAX ? READ_ONCE(pcpus[hart].ipi_count) : 0;
}
/* mazu: lab 4 interface 015a25192d45 */
