/**
 * What a trading bot imports to tell the ledger what it executed, and to ask what it holds: five things beside the generated
 * messages of {@code dev.lotkeeper.v1}.
 *
 * <ol>
 *   <li>{@link dev.lotkeeper.Ledger#connect}, with {@link dev.lotkeeper.Options};
 *   <li>deadlines and retries with the same ids, in every method of {@link dev.lotkeeper.Ledger};
 *   <li>{@link dev.lotkeeper.Decimals}, and {@link dev.lotkeeper.Times};
 *   <li>{@link dev.lotkeeper.LotkeeperError}, and below it {@link dev.lotkeeper.Errors};
 *   <li>{@link dev.lotkeeper.PnLStream}, a P&amp;L stream that outlives its connections.
 * </ol>
 */
package dev.lotkeeper;
