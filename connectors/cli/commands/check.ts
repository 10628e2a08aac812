import { command } from '../command.js';
import { connect, connectionSettings } from '../connection.js';

/** Asks for as little as shows that a dump would work: each request stands in the customer's audit log. */
export const check = command({
  name: 'check',
  summary: 'Validates the configuration and the key: may it list organisations, and read their users?',
  settings: connectionSettings,
  async run(settings, surroundings) {
    await using client = connect(settings, surroundings);
    const say = (line: string) => surroundings.stdout.write(`${line}\n`);
    const organizations = await client.organizations.list();
    const [first] = organizations;
    say(`organizations: ok, the key sees ${organizations.length}`);
    if (!first) {
      say('users: not probed, since there is no organisation to ask for');
      return 0;
    }
    await client.organizations.listUsers(first.uuid, { limit: 1 });
    say('users: ok');
    if (organizations.length === 1) {
      say("note: the key of an organisation's owner sees one organisation; that of a primary owner sees all");
    }
    return 0;
  },
});
