/** The built-in roles of those who can do everything in an organisation. */
const OWNERS: readonly (string | null)[] = ['owner', 'primary_owner'];

/** Whether a built-in role is that of an owner. */
export const isOwner = (role: string | null): boolean => OWNERS.includes(role);

/** Whether a built-in role may manage other members: that of an owner, or of an admin. */
export const isAdmin = (role: string | null): boolean =>
  isOwner(role) || role === 'admin' || role === 'membership_admin';
