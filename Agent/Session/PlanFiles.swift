import Crypto
import FoundationEssentials
import Glibc
package import Posix
import Wire

/// The plan and the configuration on disk, 0600: what a board needs to go on by itself.
///
/// The plan lies in the runtime folder for a restart of the agent, and in the state folder for a loss of power, which
/// empties the other. It is gone from both before a stop is acknowledged, where the disk lets it.
struct PlanFiles: Sendable {
    private let runtime: String
    private let state: String

    init(runtime: String, state: String) {
        self.runtime = runtime
        self.state = state
    }

    private var plans: [String] { [runtime + "/plan.json", state + "/broadcast.json"] }
    private var configurationFile: String { state + "/configuration.json" }

    /// Makes the folders where they are missing, 0700.
    func prepare() throws(SystemError) {
        for folder in [runtime, state] {
            if mkdir(folder, 0o700) != 0 {
                let code = errno
                guard code == EEXIST else { throw SystemError("mkdir", code, on: folder) }
            }
        }
    }

    /// - Throws: `CryptoError` (a full disk, a folder that is gone).
    func save(_ plan: Plan) throws {
        let text = try encoded(plan)
        for path in plans { try KeyFile.write(text, to: path) }
    }

    /// The plan that was saved last: of the runtime folder, which is written first, or of the state folder; nil for none.
    /// - Parameter unreadable: takes each file that holds something else, and why.
    func plan(unreadable: (String, String) -> Void) -> Plan? {
        for path in plans {
            do {
                if let plan = try decoded(Plan.self, path) { return plan }
            } catch {
                unreadable(path, "\(error)")
            }
        }
        return nil
    }

    /// Removes the plan from each place that lets it go, durably.
    /// - Throws: why it lies in one of them still.
    func removePlan() throws(SystemError) {
        var fault: SystemError?
        for path in plans where unlink(path) != 0 {
            let code = errno
            if code != ENOENT { fault = SystemError("unlink", code, on: path) }
        }
        if let fault { throw fault }
        let folder = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw SystemError("open", on: state) }
        let descriptor = Descriptor(adopting: folder)
        guard fsync(descriptor.raw) == 0 else { throw SystemError("fsync", on: state) }
    }

    func save(_ configuration: ConfigurationDocument) throws {
        try KeyFile.write(try encoded(configuration), to: configurationFile)
    }

    /// The last configuration that was good; nil where there is none.
    func configuration() throws -> ConfigurationDocument? { try decoded(ConfigurationDocument.self, configurationFile) }

    private func encoded(_ value: some Encodable) throws -> String { String(decoding: try JSONEncoder().encode(value), as: UTF8.self) }

    private func decoded<Value: Decodable>(_ type: Value.Type, _ path: String) throws -> Value? {
        guard let text = try KeyFile.read(path) else { return nil }
        return try JSONDecoder().decode(type, from: Data(text.utf8))
    }
}

/// What a board keeps for the server, organisation or key that it had before.
package enum FormerOwner {
    /// Forgets it: another organisation's board goes on with no broadcast and no configuration of this one's.
    ///
    /// - Parameters:
    ///   - runtime: the agent's runtime folder; it need not be there.
    ///   - state: its state folder.
    package static func forget(runtime: String, state: String) throws(SystemError) {
        for file in ["\(runtime)/plan.json", "\(state)/broadcast.json", "\(state)/configuration.json"]
        where unlink(file) != 0 && errno != ENOENT { throw SystemError("unlink", on: file) }
        try FileTree.sync(state + "/.")
    }
}
