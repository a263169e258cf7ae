/** Counts the abort listeners that a signal has, from now on. */
export function countListeners(signal: AbortSignal): { readonly count: number } {
  const listeners = new Set<unknown>();
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (type: string, listener: unknown, ...rest: unknown[]) => {
    listeners.add(listener);
    Reflect.apply(addEventListener, signal, [type, listener, ...rest]);
  };
  signal.removeEventListener = (type: string, listener: unknown, ...rest: unknown[]) => {
    listeners.delete(listener);
    Reflect.apply(removeEventListener, signal, [type, listener, ...rest]);
  };
  return {
    get count() {
      return listeners.size;
    },
  };
}
