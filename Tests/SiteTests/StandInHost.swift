import Foundation
import Posix
import Support
import Testing

@testable import Installation
@testable import Site

/// A machine in a folder. Its files are real, and belong to whoever runs the tests; its programs (systemd, apt, `strata-pool enroll`) are
/// stand-ins that do what the real ones do to those files, no more.
final class StandInHost: Sendable {
    struct Broken: Error, CustomStringConvertible { let description = "it broke" }

    private struct State {
        var enabled: Set<String> = []
        var active: Set<String> = []
        var packages: Set<String> = ["base-files"]
        var commands: [[String]] = []
    }

    let folder: TemporaryFolder
    private let state = Guarded(State())

    init() throws {
        folder = try TemporaryFolder()
        for path in ["etc", "usr/bin", "usr/lib/systemd/system", "var/lib", "var/backups"] { _ = try folder.makeFolder("root/\(path)") }
        let (user, group) = (getuid(), getgid())
        try folder.write("root:x:\(user):\(group):root:/root:/bin/sh\n", to: "root/etc/passwd")
        try folder.write("root:x:\(group):\nvideo:x:44:\naudio:x:29:\n", to: "root/etc/group")
        try makeBundle()
        // Makes the journal's folder; what it locks is let go of at once.
        _ = try SiteJournal.change(on: machine)
    }

    /// As `ci/bundle` makes it, with programs that are none.
    private func makeBundle() throws {
        for path in ["bundle/bin", "bundle/dashboard/assets"] { _ = try folder.makeFolder(path) }
        for program in SiteSource.programs { try folder.write("#!/bin/sh\necho \(program)\n", to: "bundle/bin/\(program)") }
        for page in ["index.html", "index.html.gz", "assets/Main-1.js"] { try folder.write(page, to: "bundle/dashboard/\(page)") }
        try folder.write("gstreamer1.0-libav\nlibsrt1.5-openssl\n", to: "bundle/packages")
        try FileManager.default.copyItem(
            atPath: Places.root.appendingPathComponent("systemd").path, toPath: folder["bundle/systemd"])
    }

    var root: String { folder["root"] }
    /// Those that change something.
    var commands: [[String]] { state.withLock { $0.commands.filter { !Self.isQuestion($0) } } }
    var active: Set<String> { state.withLock { $0.active } }
    var enabled: Set<String> { state.withLock { $0.enabled } }

    func forgetCommands() { state.withLock { $0.commands = [] } }
    func stop(_ unit: String) { state.withLock { _ = $0.active.remove(unit) } }

    private static func isQuestion(_ words: [String]) -> Bool {
        words[0] == "dpkg-query" || !Set(words).isDisjoint(with: ["is-enabled", "is-active", "show"])
    }

    var machine: HostMachine { HostMachine(root: root, isThisOne: true) { [self] in try await run($0) } }

    func plan(_ fields: [String: String] = ["host": "live.example.org"], source: SiteSource? = nil) throws -> SitePlan {
        let from = try source ?? SiteSource(folder["bundle"])
        return SitePlan(try SiteAnswers(fields), from: from, on: machine, now: { unixMilliseconds() / 1000 }) { [self] _ in
            guard active.contains("strata-control.service") else { throw Broken() }
            return 200
        }
    }

    var store: JournalStore { SiteJournal.read(on: machine) }

    func installer(_ steps: [Step]) throws -> Installer { Installer(steps, store: store, now: unixMilliseconds) }

    static func order(_ plan: SitePlan) -> Journal.Order { Journal.Order(settings: plan.answers.fields, version: "0.1.0") }

    /// Every path below the root, with mode, owner and content; without what the tool itself keeps, and without what is different each
    /// time.
    func snapshot(contents: Bool = true) throws -> [String: String] {
        var found: [String: String] = [:]
        let names = try #require(FileManager.default.enumerator(atPath: root)).compactMap { $0 as? String }
        for name in names where !name.hasPrefix("var/lib/strata-provision") {
            let path = "\(root)/\(name)"
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            let mode = String((attributes[.posixPermissions] as? Int) ?? 0, radix: 8)
            let isFile = attributes[.type] as? FileAttributeType == .typeRegular
            let text = isFile && contents ? (try? String(contentsOfFile: path, encoding: .utf8)) ?? "bytes" : ""
            found[name] = "\(isFile ? "file" : "folder") \(mode) \(text)"
        }
        return found
    }

    // MARK: Stand-ins

    private func run(_ words: [String]) async throws -> HostMachine.Answer {
        state.withLock { $0.commands.append(words) }
        switch words[0] {
        case "systemctl": return systemctl(Array(words.dropFirst().filter { !$0.hasPrefix("--") }))
        case "systemd-sysusers": try addUsers()
        case "userdel": try drop(words[words.count - 1], from: ["etc/passwd", "etc/group"])
        case "groupdel": try drop(words[words.count - 1], from: ["etc/group"])
        case "dpkg-query":
            let known = state.withLock { $0.packages }
            return said(words.filter(known.contains).map { "ii \($0)\n" }.joined())
        case "apt-get": state.withLock { $0.packages.formUnion(words.split(separator: "--").last ?? []) }
        case "dpkg": state.withLock { $0.packages.subtract(words.dropFirst(2)) }
        case let program where program.hasSuffix("strata-provision"): try folder.write("a token\n", to: "root\(words[words.count - 1])")
        case "setpriv": try folder.write("{}", to: "root/var/lib/strata/pool/identity.json")
        default: throw SupportFailure("nobody stands in for \(words)")
        }
        return said("")
    }

    private func said(_ text: String, _ isSuccess: Bool = true) -> HostMachine.Answer {
        HostMachine.Answer(isSuccess: isSuccess, text: text, said: text)
    }

    private func systemctl(_ words: [String]) -> HostMachine.Answer {
        guard words.count == 2 else { return said("") }
        let (verb, unit) = (words[0], words[1])
        if verb == "start", unit == "strata-control.service" {
            // What control makes at its first start; a failure would be seen by the test.
            for file in ["strata.db", "operator-token"] {
                let path = "root/var/lib/strata/control/\(file)"
                if !FileManager.default.fileExists(atPath: folder[path]) { _ = try? folder.write(file, to: path) }
            }
        }
        if verb == "start", unit == "strata-server-update.service" {
            // It says what runs, and ends; a failure would be seen by the test.
            _ = try? folder.makeFolder("root/var/lib/strata-update")
            _ = try? folder.write("{}", to: "root/var/lib/strata-update/report.json")
            return said("")
        }
        return state.withLock { state in
            switch verb {
            case "is-enabled": return said("", state.enabled.contains(unit))
            case "is-active": return said("", state.active.contains(unit))
            case "enable": state.enabled.insert(unit)
            case "disable": state.enabled.remove(unit)
            case "start", "restart": state.active.insert(unit)
            case "stop": state.active.remove(unit)
            default: break
            }
            return said("")
        }
    }

    /// All of them are whoever runs the tests.
    private func addUsers() throws {
        let accounts = try SiteSource(folder["bundle"]).accounts
        var passwd = try text("etc/passwd")
        var group = try text("etc/group")
        for user in accounts.users where !passwd.contains("\n\(user):") {
            passwd += "\(user):x:\(getuid()):\(getgid())::/:/usr/sbin/nologin\n"
            group += "\(user):x:\(getgid()):\n"
        }
        for (user, name) in accounts.members {
            if !group.contains("\n\(name):") { group += "\(name):x:\(getgid()):\n" }
            let lines = group.split(separator: "\n").map { line in
                line.hasPrefix("\(name):") && !line.contains(user) ? "\(line)\(line.hasSuffix(":") ? "" : ",")\(user)" : "\(line)"
            }
            group = lines.joined(separator: "\n") + "\n"
        }
        try folder.write(passwd, to: "root/etc/passwd")
        try folder.write(group, to: "root/etc/group")
    }

    private func drop(_ name: String, from files: [String]) throws {
        for file in files {
            let lines = try text(file).split(separator: "\n").filter { !$0.hasPrefix("\(name):") }
            // userdel takes a user out of the groups of others too.
            let rest = lines.map { line in
                let fields = line.split(separator: ":", omittingEmptySubsequences: false)
                return fields.map { $0.components(separatedBy: ",").filter { $0 != name }.joined(separator: ",") }.joined(separator: ":")
            }
            try folder.write(rest.joined(separator: "\n") + "\n", to: "root/\(file)")
        }
    }

    private func text(_ file: String) throws -> String { try String(contentsOfFile: "\(root)/\(file)", encoding: .utf8) }
}
