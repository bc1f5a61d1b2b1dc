/**
 * Whether an RSA modulus was made by the flawed generator of CVE-2017-15361: its primes, and so their product, are powers of
 * 65537 modulo every small prime. Of other moduli about one in 10⁸ looks so. Pure.
 *
 * Source: Nemec et al., "The Return of Coppersmith's Attack: Practical Factorization of Widely Used RSA Moduli" (CCS 2017), 2.2.
 */

/** Those that every key length of the generator has in common. */
const SMALL_PRIMES = [
  3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113,
  127, 131, 137, 139, 149, 151, 157, 163, 167,
] as const;

const GENERATOR = 65_537;

const POWERS: readonly (readonly [prime: bigint, powers: ReadonlySet<number>])[] = SMALL_PRIMES.map((prime) => {
  const powers = new Set<number>();
  for (let power = 1; !powers.has(power); power = (power * GENERATOR) % prime) powers.add(power);
  return [BigInt(prime), powers];
});

export function isRocaModulus(modulus: bigint): boolean {
  return POWERS.every(([prime, powers]) => powers.has(Number(modulus % prime)));
}
