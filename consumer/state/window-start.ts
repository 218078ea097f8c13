// Arithmetic of windows that rollups and drift share.
/** Start of the window that contains a time; windows are aligned to the epoch. */
export const windowStart = (timeUs: number, sizeUs: number): number => Math.floor(timeUs / sizeUs) * sizeUs
