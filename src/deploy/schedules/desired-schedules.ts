import { isJsonObject, type Json, type JsonObject, parseJson, SpelledNumber } from '@slipway/prefect/json';
import { unresolved } from '@slipway/prefect/template';
import { Problem } from '../../problem.ts';
import { parseDuration } from '../../project/duration.ts';
import { bool } from '../../project/lax.ts';
import type { Entry, Position } from '../../project/model.ts';
import { placeOf } from '../../project/place.ts';
import { isUnknown, KNOWN_AT_DEPLOY } from '../../steps/foresight.ts';
import { readAnchor } from './anchor.ts';
import { cronProblem } from './cron.ts';
import type { Decided, DesiredSchedule, ScheduleTimes } from './model.ts';
import { RecurrenceError, readRecurrence } from './rrule.ts';
import { isTimezone, timezoneMeant } from './timezone.ts';

export interface DesiredSchedules {
  /** Undefined: prefect.yaml says nothing of schedules, and those on the server stay as they are. */
  readonly schedules: readonly DesiredSchedule[] | undefined;
  readonly problems: readonly Problem[];
}

/**
 * The schedules of one entry, checked as Prefect's CLI and server would (contracts/deploy.md §1.4). What still holds a
 * placeholder, or is known only at deploy, is not looked into; so this serves before any step has run as well as after.
 *
 * @param settings the entry's settings; an empty or missing list means that schedules are not managed (§4.6).
 */
export function desiredSchedules(settings: JsonObject, entry: Entry): DesiredSchedules {
  const items = itemsOf(settings);
  const problems: Problem[] = [];
  const schedules = items.flatMap(({ item, path }) => new Item(item, path, entry, problems).schedule() ?? []);
  const seen = new Set<string>();
  for (const { slug, where } of schedules) {
    if (slug === undefined || isOpen(slug)) continue;
    if (seen.has(slug)) {
      const message = `${subject(entry)}: two schedules have the slug ${slug}`;
      problems.push(new Problem(message, { where, remedy: 'Give each schedule a slug of its own.' }));
    }
    seen.add(slug);
  }
  return { schedules: items.length === 0 ? undefined : schedules, problems };
}

function itemsOf(settings: JsonObject): { item: JsonObject; path: string }[] {
  const { schedules, schedule } = settings;
  if (Array.isArray(schedules) && schedules.length > 0) {
    return schedules.map((item, index) => ({ item: isJsonObject(item) ? item : {}, path: `schedules.${index}` }));
  }
  // The old singular key; an empty mapping is none.
  return isJsonObject(schedule) && Object.keys(schedule).length > 0 ? [{ item: schedule, path: 'schedule' }] : [];
}

function subject(entry: Entry): string {
  return `deployment ${entry.name ?? ''}`;
}

/** True for text that cannot be judged yet. */
function isOpen(text: string): boolean {
  return isUnknown(text) || unresolved(text).length > 0;
}

/** One item of `schedules`, and what is wrong with it. */
class Item {
  readonly #item: JsonObject;
  readonly #path: string;
  readonly #entry: Entry;
  readonly #problems: Problem[];

  constructor(item: JsonObject, path: string, entry: Entry, problems: Problem[]) {
    this.#item = item;
    this.#path = path;
    this.#entry = entry;
    this.#problems = problems;
  }

  schedule(): DesiredSchedule | undefined {
    const times = this.#times();
    const active = this.#decided('active');
    const [slug, replaces] = [this.#text('slug'), this.#text('replaces')];
    const { parameters } = this.#item;
    if (parameters !== undefined && parameters !== null && !isJsonObject(parameters)) {
      this.#refuse('parameters', 'is no mapping once its placeholders are filled in', 'Write names with values.');
    }
    return (
      times && {
        times,
        ...(active === undefined ? {} : { active }),
        parameters: isJsonObject(parameters) ? parameters : {},
        ...(slug ? { slug } : {}),
        ...(replaces ? { replaces } : {}),
        where: this.#where(''),
      }
    );
  }

  #times(): ScheduleTimes | undefined {
    const cron = this.#text('cron');
    if (cron) return this.#cron(cron);
    const { interval } = this.#item;
    if (interval !== undefined && interval !== null) return this.#interval(interval);
    const rrule = this.#text('rrule');
    if (rrule) return this.#rrule(rrule);
    this.#refuse(
      '',
      'has neither cron nor interval nor rrule once its placeholders are filled in',
      'Check what they name.',
    );
    return undefined;
  }

  #cron(cron: string): ScheduleTimes {
    const problem = isOpen(cron) ? undefined : cronProblem(cron);
    if (problem !== undefined) {
      this.#refuse(
        'cron',
        `${JSON.stringify(cron)} ${problem}`,
        'Correct the five columns: minute, hour, day, month, weekday.',
      );
    }
    return { cron, timezone: this.#timezone('') ?? null, day_or: this.#decided('day_or') ?? true };
  }

  #interval(value: Json): ScheduleTimes {
    const seconds =
      typeof value === 'string'
        ? parseDuration(value)
        : value instanceof SpelledNumber
          ? value.valueOf()
          : Number(value);
    if (seconds === undefined || !(seconds > 0)) {
      this.#refuse(
        'interval',
        'must be longer than 0 seconds',
        'Write seconds without quotes (3600), or PT1H, or 01:00:00.',
      );
    }
    const written = this.#text('anchor_date');
    const anchor = written && !isOpen(written) ? readAnchor(written)?.text : written;
    if (written && anchor === undefined) {
      this.#refuse(
        'anchor_date',
        `${JSON.stringify(written)} is no date`,
        'Write ISO 8601: "2024-01-31T09:30:00+02:00".',
      );
    }
    return {
      interval: seconds ?? 0,
      ...(anchor ? { anchor_date: anchor } : {}),
      timezone: this.#timezone('') ?? 'UTC',
    };
  }

  /** The rule itself, or JSON with it and its time zone, which the item's own goes before. */
  #rrule(written: string): ScheduleTimes {
    const json = isOpen(written) ? undefined : jsonOf(written);
    const { rrule, timezone, ...unknown } = isJsonObject(json) ? json : { rrule: written, timezone: null };
    const text = typeof rrule === 'string' ? rrule : '';
    const zone = this.#timezone(typeof timezone === 'string' ? timezone : 'UTC', false);
    if (json !== undefined && (!isJsonObject(json) || text === '' || Object.keys(unknown).length > 0)) {
      this.#refuse(
        'rrule',
        'is JSON, but not {"rrule": "…", "timezone": "…"}',
        'Write the rule itself: FREQ=DAILY;BYHOUR=9',
      );
    } else if (!isOpen(written)) this.#checkRule(text);
    return { rrule: text, timezone: zone ?? 'UTC' };
  }

  #checkRule(rule: string): void {
    try {
      readRecurrence(rule);
    } catch (error) {
      if (!(error instanceof RecurrenceError)) throw error;
      this.#refuse('rrule', error.message, 'Write a rule such as FREQ=WEEKLY;BYDAY=MO;BYHOUR=9.');
    }
  }

  /** @param fallback for an item that names none; an empty name is none for cron and interval. */
  #timezone(fallback: string, emptyIsNone = true): string | undefined {
    const written = this.#text('timezone');
    const name = written ?? (fallback === '' ? undefined : fallback);
    if (name === undefined || isOpen(name) || isTimezone(name) || (name === '' && emptyIsNone)) return name;
    const meant = timezoneMeant(name);
    const remedy = meant === undefined ? 'Write a name of the IANA list, such as Europe/Berlin.' : `Write ${meant}.`;
    this.#refuse(written === undefined ? 'rrule' : 'timezone', `${JSON.stringify(name)} is no time zone`, remedy);
    return name;
  }

  #decided(key: 'active' | 'day_or'): Decided | undefined {
    const value = this.#item[key];
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'string' && isOpen(value)) return KNOWN_AT_DEPLOY;
    const read = bool.safeParse(value);
    if (read.success) return read.data;
    this.#refuse(
      key,
      `must be true or false, not ${JSON.stringify(value)}`,
      'Check the step output or variable it names.',
    );
    return undefined;
  }

  #text(key: string): string | undefined {
    const value = this.#item[key];
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'string') return value;
    this.#refuse(key, `must be text, not ${JSON.stringify(value)}`, 'Check the step output or variable it names.');
    return undefined;
  }

  #where(key: string): Position {
    return placeOf(this.#entry, key === '' ? this.#path : `${this.#path}.${key}`);
  }

  #refuse(key: string, what: string, remedy: string): void {
    const at = this.#path.replace(/\.(\d+)$/, '[$1]') + (key === '' ? '' : `.${key}`);
    this.#problems.push(new Problem(`${subject(this.#entry)}: ${at} ${what}`, { where: this.#where(key), remedy }));
  }
}

function jsonOf(text: string): Json | undefined {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
