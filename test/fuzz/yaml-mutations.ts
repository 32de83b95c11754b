import { isMap, isScalar, isSeq, type Node, type Pair, parseDocument, Scalar, visit } from 'yaml';
import { damage, type Random } from './random.ts';
import { KEYS, SCRAPS, VALUES } from './yaml-pieces.ts';

/**
 * A prefect.yaml that may be wrong in one to four ways: in its bytes, in its lines (indentation, values, copies), or in
 * its structure (keys renamed, nodes swapped, copied, retyped, anchored, written in another style).
 *
 * @param text a file that YAML can read.
 */
export function mutateYaml(text: string, random: Random): string {
  let mutated = text;
  for (let rounds = 1 + random.below(4); rounds > 0; rounds -= 1) {
    const kind = random.below(10);
    if (kind < 3) mutated = damage(mutated, SCRAPS, random);
    else if (kind < 7) mutated = mutateLines(mutated, random);
    else mutated = mutateStructure(mutated, random);
  }
  return mutated;
}

function mutateLines(text: string, random: Random): string {
  const lines = text.split('\n');
  const at = random.below(lines.length);
  const line = lines[at] ?? '';
  const [head] = /^\s*(?:- )*(?:[\w-]+: ?)?/.exec(line) ?? [''];
  switch (random.below(7)) {
    case 0:
      lines[at] = head + random.pick(VALUES);
      break;
    case 1:
      lines[at] = ' '.repeat(random.below(8)) + line.trimStart();
      break;
    case 2:
      lines.splice(random.below(lines.length), 0, ...lines.slice(at, at + 1 + random.below(5)));
      break;
    case 3:
      lines.splice(at, 1 + random.below(3));
      break;
    case 4:
      lines[at] = line.replace(/[\w-]+(?=:)/, () => random.pick(KEYS));
      break;
    case 5:
      lines[at] = `${line} ${random.pick(VALUES)}`;
      break;
    default:
      lines.splice(at, 0, `${' '.repeat(random.below(6)) + random.pick(KEYS)}: ${random.pick(VALUES)}`);
  }
  return lines.join('\n');
}

function mutateStructure(text: string, random: Random): string {
  const document = parseDocument(text, { version: '1.1', uniqueKeys: false, logLevel: 'silent' });
  const nodes: Node[] = [];
  const pairs: Pair[] = [];
  visit(document, { Node: (_key, node) => void nodes.push(node), Pair: (_key, pair) => void pairs.push(pair) });
  if (document.errors.length > 0 || nodes.length === 0 || pairs.length === 0) return mutateLines(text, random);
  const node = random.pick(nodes);
  const pair = random.pick(pairs);
  switch (random.below(7)) {
    case 0:
      pair.value = random.pick(nodes);
      break;
    case 1:
      pair.key = random.chance(0.8) ? document.createNode(random.pick(KEYS)) : random.pick(nodes);
      break;
    case 2:
      if (isScalar(node))
        node.type = random.pick([
          Scalar.BLOCK_FOLDED,
          Scalar.BLOCK_LITERAL,
          Scalar.PLAIN,
          Scalar.QUOTE_DOUBLE,
          Scalar.QUOTE_SINGLE,
        ]);
      else if (isMap(node) || isSeq(node)) node.flow = node.flow !== true;
      break;
    case 3:
      if (isMap(node)) node.items.push(random.pick(pairs) as never);
      else if (isSeq(node)) node.items.push(random.pick(nodes));
      break;
    case 4:
      if (isMap(node) || isSeq(node)) node.items.splice(random.below(node.items.length), 1);
      break;
    case 5:
      if (isScalar(node))
        node.value = random.pick([
          true,
          null,
          1.5,
          -3,
          'text',
          '1.0',
          'yes',
          'a: b',
          '# no',
          ' lead',
          'two\nlines\n',
          '*',
          '',
        ]);
      break;
    default:
      pair.value = document.createNode(random.chance(0.5) ? [random.pick(KEYS)] : { [random.pick(KEYS)]: 1 });
  }
  try {
    return document.toString({ lineWidth: random.pick([0, 40, 80]) });
  } catch {
    // A node inside itself, or an alias before its anchor, cannot be written.
    return mutateLines(text, random);
  }
}
