/** Splits a stream of UTF-8 text into lines and reads each as JSON; a last line without an end is not read. */
export async function* jsonLines(body: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    let end = rest.indexOf('\n');
    let begin = 0;
    while (end !== -1) {
      const line = rest.slice(begin, end);
      if (line.trim() !== '') yield JSON.parse(line);
      begin = end + 1;
      end = rest.indexOf('\n', begin);
    }
    rest = rest.slice(begin);
  }
}
