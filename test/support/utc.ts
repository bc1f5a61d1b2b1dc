/** Times of day are drawn in the zone of the machine; what is compared with a text needs one that is the same everywhere. */
export function inUtc(): void {
  const zone = process.env['TZ'];
  before(() => {
    process.env['TZ'] = 'UTC';
  });
  after(() => {
    if (zone === undefined) delete process.env['TZ'];
    else process.env['TZ'] = zone;
  });
}
