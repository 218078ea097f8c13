// Names of Linux error numbers (asm-generic/errno.h; the same on x86-64 and arm64). Node's tables (os.constants.errno,
// util.getSystemErrorMap) have two thirds of them.

// From 1 on; '-' is an unused number. Where two names exist, the one that strace prints.
const names = `
EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY EEXIST
EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM
ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP - ENOMSG EIDRM ECHRNG EL2NSYNC EL3HLT EL3RST ELNRNG
EUNATCH ENOCSI EL2HLT EBADE EBADR EXFULL ENOANO EBADRQC EBADSLT - EBFONT ENOSTR ENODATA ETIME ENOSR ENONET
ENOPKG EREMOTE ENOLINK EADV ESRMNT ECOMM EPROTO EMULTIHOP EDOTDOT EBADMSG EOVERFLOW ENOTUNIQ EBADFD EREMCHG
ELIBACC ELIBBAD ELIBSCN ELIBMAX ELIBEXEC EILSEQ ERESTART ESTRPIPE EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE
EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE
EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN ESHUTDOWN
ETOOMANYREFS ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY EINPROGRESS ESTALE EUCLEAN ENOTNAM ENAVAIL
EISNAM EREMOTEIO EDQUOT ENOMEDIUM EMEDIUMTYPE ECANCELED ENOKEY EKEYEXPIRED EKEYREVOKED EKEYREJECTED EOWNERDEAD
ENOTRECOVERABLE ERFKILL EHWPOISON
`
  .trim()
  .split(/\s+/)

// Internal to the kernel, which restarts the call or returns EINTR (linux/errno.h).
const restarts: Readonly<Record<number, string>> = {
  512: 'ERESTARTSYS',
  513: 'ERESTARTNOINTR',
  514: 'ERESTARTNOHAND',
  516: 'ERESTART_RESTARTBLOCK'
}

/** The highest error number of a system call (MAX_ERRNO, linux/err.h). */
const maxErrno = 4095

/**
 * @param ret the result of a system call
 * @returns the name of the error (ENOENT), E<number> for one without a name, null when the result is no error
 */
export const errnoName = (ret: number): string | null => {
  if (ret >= 0 || ret < -maxErrno) return null
  const name = names[-ret - 1] ?? restarts[-ret]
  return name === undefined || name === '-' ? `E${-ret}` : name
}

const numbers: ReadonlyMap<string, number> = new Map([
  ...names.map((name, i) => [name, i + 1] as const),
  ...Object.entries(restarts).map(([number, name]) => [name, Number(number)] as const)
])

/** @returns undefined for a name that Linux does not have */
export const findErrno = (name: string): number | undefined => numbers.get(name)

/** @throws RangeError for a name that Linux does not have */
export const errnoNumber = (name: string): number => {
  const number = findErrno(name)
  if (number === undefined) throw new RangeError(`no error number is named ${name}`)
  return number
}
