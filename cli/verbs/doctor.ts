// Checks this machine and prints the fixes.
import { Command } from 'commander'
import { type Check, formatResults, type Result, runCheck } from '../doctor/check.ts'
import { kafkaChecks } from '../doctor/kafka-checks.ts'
import { kernelChecks } from '../doctor/kernel-checks.ts'
import { machineChecks } from '../doctor/machine-checks.ts'
import { addCommonOptions, type CommonOptions, configFrom, type Format, formatArgument } from '../options.ts'
import { Output } from '../terminal/output.ts'
import { quietLog } from '../terminal/quiet-log.ts'

interface DoctorOptions extends CommonOptions {
  readonly format?: Format
}

const unavailable = 69

const doctor = async (options: DoctorOptions): Promise<void> => {
  const config = configFrom(options)
  const log = quietLog('doctor')
  const checks: Check[] = [...kernelChecks(config), ...machineChecks(config), ...kafkaChecks(config, log)]
  const results: Result[] = []
  // One after the other: loading programs and starting Java would slow each other down.
  for (const check of checks) results.push(await runCheck(check))

  const output = new Output()
  if (options.format === 'json') await output.json(...results)
  else await output.line(formatResults(results, output.width).join('\n'))
  if (results.some(({ status }) => status === 'fail')) process.exitCode = unavailable
}

export const doctorCommand = (): Command =>
  addCommonOptions(
    new Command('doctor')
      .description('Check kernel, privileges, tools, Java, Kafka, clock and disk. Exit code 69 if a check fails.')
      .option('--format <format>', 'table or json (default: table)', formatArgument)
  )
    .addHelpText('after', '\nExample:\n  sudo ringside doctor\n')
    .action(doctor)
