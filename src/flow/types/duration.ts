const SECONDS_PER_DAY = 86_400;

/**
 * A duration as pydantic writes it: `PT1H`, `P1DT5S`, `-PT22H`, `P1Y35DT1.00001S`; a year is 365 days.
 *
 * @param microseconds whole, of either sign.
 */
export function isoDuration(microseconds: number): string {
  const size = Math.abs(microseconds);
  const fraction = size % 1_000_000;
  const allSeconds = (size - fraction) / 1_000_000;
  const allDays = Math.floor(allSeconds / SECONDS_PER_DAY);
  const years = Math.floor(allDays / 365);
  const days = allDays % 365;
  const rest = allSeconds % SECONDS_PER_DAY;
  const hours = Math.floor(rest / 3600);
  const minutes = Math.floor((rest % 3600) / 60);
  const seconds = rest % 60;
  const date = `${years > 0 ? `${years}Y` : ''}${days > 0 ? `${days}D` : ''}`;
  const tail = fraction === 0 ? '' : `.${withoutTrailingZeros(String(fraction).padStart(6, '0'))}`;
  const written = seconds > 0 || fraction > 0 ? `${seconds}${tail}S` : '';
  const time = `${hours > 0 ? `${hours}H` : ''}${minutes > 0 ? `${minutes}M` : ''}${written}`;
  if (date === '' && time === '') return 'PT0S';
  return `${microseconds < 0 ? '-' : ''}P${date}${time === '' ? '' : `T${time}`}`;
}

function withoutTrailingZeros(digits: string): string {
  let end = digits.length;
  while (digits[end - 1] === '0') end -= 1;
  return digits.slice(0, end);
}
