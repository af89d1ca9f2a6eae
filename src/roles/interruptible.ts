import { SallyportError } from '../model/errors.ts'

/** Ctrl-C or SIGTERM while the gate starts ends what was started; a second one ends the program at once. */
export async function interruptible<Running extends { stop(): Promise<void> }>(
  starting: Promise<Running>,
  interrupt: () => void,
): Promise<Running> {
  let interrupted = false
  const onSignal = (): void => {
    if (interrupted) process.exit(2)
    interrupted = true
    interrupt()
  }
  const fault = (cause?: unknown): SallyportError =>
    new SallyportError('control-unreachable', 'interrupted while the gate started', {}, cause)
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  try {
    const running = await starting
    if (!interrupted) return running
    await running.stop()
  } catch (error) {
    throw interrupted ? fault(error) : error
  } finally {
    process.off('SIGTERM', onSignal)
    process.off('SIGINT', onSignal)
  }
  throw fault()
}
