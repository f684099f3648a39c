import Posix

/// The machine that is installed on: its files, and what its programs do.
package struct HostMachine: Sendable {
    /// How a command ended.
    package struct Answer: Sendable {
        package let isSuccess: Bool
        /// Its standard output.
        package let text: String
        /// Both, for people.
        package let said: String

        package init(isSuccess: Bool, text: String, said: String) {
            self.isSuccess = isSuccess
            self.text = text
            self.said = said
        }
    }

    /// A command that should have succeeded.
    package struct CommandFault: Error, Hashable, Sendable, CustomStringConvertible {
        package let command: String
        package let said: String

        package var description: String {
            let last = said.split(separator: "\n").suffix(5).joined(separator: "\n")
            return "'\(command)' failed" + (last.isEmpty ? "" : ": \(last)")
        }
    }

    /// Empty for this machine, else the absolute path of a folder that holds another one's files, without a slash at its end.
    package let root: String
    /// Whether its services can be started, since it is the one that this program runs on.
    package let isThisOne: Bool
    private let runner: @Sendable ([String]) async throws -> Answer

    /// - Parameters:
    ///   - isThisOne: by itself whether there is no root; a test says otherwise.
    ///   - run: runs a command by its name, and waits for its end.
    package init(root: String, isThisOne: Bool? = nil, run: @escaping @Sendable ([String]) async throws -> Answer) {
        self.root = root
        self.isThisOne = isThisOne ?? root.isEmpty
        runner = run
    }

    /// Where a file of it lies for this program.
    package func place(_ path: String) -> String { root + path }

    /// - Parameter mayFail: an end other than success is an answer.
    @discardableResult
    package func run(_ words: [String], mayFail: Bool = false) async throws -> Answer {
        let answer = try await runner(words)
        guard mayFail || answer.isSuccess else { throw CommandFault(command: words.joined(separator: " "), said: answer.said) }
        return answer
    }

    /// `systemctl` on its units, whether it runs or not.
    @discardableResult
    func systemctl(_ words: [String], mayFail: Bool = false) async throws -> Answer {
        try await run(["systemctl"] + (isThisOne ? [] : ["--root=\(root)"]) + words, mayFail: mayFail)
    }

    /// A command that has to run inside of it.
    @discardableResult
    func inside(_ words: [String], mayFail: Bool = false) async throws -> Answer {
        try await run((isThisOne ? [] : ["chroot", root]) + words, mayFail: mayFail)
    }

    func accounts() throws -> Accounts {
        // A machine whose files are only beginning to be there has no accounts.
        func text(_ path: String) throws(RegularFile.Fault) -> String {
            do throws(RegularFile.Fault) {
                return String(decoding: try RegularFile(place(path), upTo: 1 << 20).bytes, as: UTF8.self)
            } catch {
                if error.isMissing { return "" }
                throw error
            }
        }
        return Accounts(passwd: try text("/etc/passwd"), group: try text("/etc/group"))
    }
}

/// The users and groups of a machine, as its files have them. Source: passwd(5), group(5).
struct Accounts: Sendable {
    struct Unknown: Error, CustomStringConvertible {
        let description: String
    }

    private var users: [String: UInt32] = [:]
    private var groups: [String: UInt32] = [:]
    private var members: [String: Set<String>] = [:]

    init(passwd: String, group: String) {
        for line in passwd.split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            if fields.count >= 4, let id = UInt32(fields[2]) { users[String(fields[0])] = id }
        }
        for line in group.split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count >= 4, let id = UInt32(fields[2]) else { continue }
            groups[String(fields[0])] = id
            members[String(fields[0])] = Set(fields[3].split(separator: ",").map(String.init))
        }
    }

    func hasUser(_ name: String) -> Bool { users[name] != nil }
    func hasGroup(_ name: String) -> Bool { groups[name] != nil }
    func isMember(_ user: String, of group: String) -> Bool { members[group]?.contains(user) == true }

    /// - Throws: `Unknown`. Root is 0 everywhere.
    func owner(_ ownership: Ownership) throws -> FileWork.Owner {
        guard let user = users[ownership.user] ?? (ownership.user == "root" ? 0 : nil) else {
            throw Unknown(description: "there is no user \(ownership.user)")
        }
        guard let group = groups[ownership.group] ?? (ownership.group == "root" ? 0 : nil) else {
            throw Unknown(description: "there is no group \(ownership.group)")
        }
        return FileWork.Owner(user: user, group: group)
    }
}

/// Whose a file shall be, by names.
struct Ownership: Hashable, Sendable {
    let user: String
    let group: String

    static let root = Ownership(user: "root", group: "root")
    static let control = Ownership(user: "strata-control", group: "strata-control")
    static let pool = Ownership(user: "strata-pool", group: "strata-pool")

    /// What a service reads and root writes.
    static func read(by service: String) -> Ownership { Ownership(user: "root", group: service) }
}
