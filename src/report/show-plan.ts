import type { Plan } from '../deploy/model.ts';
import type { Log } from '../world.ts';
import { planItems } from './items.ts';
import { planCount, planLines } from './plan-text.ts';

/** Writes a plan into the log: all of it in a group, how much it changes below. */
export async function showPlan(plan: Plan, log: Log): Promise<void> {
  const items = planItems(plan, log.redact);
  await log.group('Plan', async () => {
    for (const line of planLines(items)) log.info(line);
  });
  log.info(planCount(items));
}
