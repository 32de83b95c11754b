/** Why no Job can be made of a run: something in the template or in the job variables that a person has to change. */
export class RenderError extends Error {
  override readonly name = 'RenderError';
}
