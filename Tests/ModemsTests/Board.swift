import Foundation
import Logging
import Modems
import Posix
import Support

/// A board with a bus of its own and a watcher of its modems.
final class Board: Sendable {
    let stage: Stage
    let loop: Loop
    let watcher: ModemWatcher
    let address: String
    private let latest = Guarded<[Modem]?>(nil)
    private let lines = Guarded<[String]>([])
    private let reader: Task<Void, Never>

    /// - Parameter name: of the bus's socket in the stage's folder.
    init(
        on stage: Stage, bus name: String = "bus", accounts: ModemAccounts = ModemAccounts(standard: nil),
        apply: (@Sendable (BearerAddresses) async throws -> Void)? = nil
    ) throws {
        self.stage = stage
        loop = try Loop(name: "modems")
        address = "unix:path=\(stage.folder[name])"
        let lines = lines
        let log = Log("modems", threshold: .info) { line in lines.withLock { $0.append(line) } }
        let watcher = ModemWatcher(
            address: address, loop: loop, usesSatellites: true, accounts: accounts, stateFolder: stage.folder.path, apply: apply, log: log)
        self.watcher = watcher
        reader = Task { [latest] in for await modems in watcher.snapshots { latest.withLock { $0 = modems } } }
    }

    var modems: [Modem] { latest.withLock { $0 } ?? [] }

    func said(_ text: String) -> Int { lines.withLock { $0.filter { $0.contains(text) }.count } }

    var log: String { lines.withLock { $0.joined(separator: "\n") } }

    /// The modems, once they are as they should be.
    @discardableResult
    func modems(_ what: String, within limit: Duration = .seconds(10), _ condition: ([Modem]) -> Bool) async throws -> [Modem] {
        do {
            return try await eventually(within: limit, what) { condition(modems) ? modems : nil }
        } catch {
            throw SupportFailure("\(error); the modems are \(modems)\n\(log)")
        }
    }

    func close() async {
        await watcher.end()
        reader.cancel()
        loop.stop()
    }
}

func onBoard(_ body: (Board, MessageBus, ModemStandIn) async throws -> Void) async throws {
    try await onStage { stage in
        let bus = try await MessageBus(on: stage)
        let standIn = try await bus.standIn()
        let board = try Board(on: stage)
        await board.watcher.begin()
        do { try await body(board, bus, standIn) } catch {
            await board.close()
            throw error
        }
        await board.close()
    }
}
