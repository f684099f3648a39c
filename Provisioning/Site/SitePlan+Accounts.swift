// Packages of Debian, and users.
import Installation
import Posix

extension SitePlan {
    func packages() -> Step {
        let machine = self.machine
        let wanted = (source.packages + (answers.certificate == .acme ? ["certbot"] : [])).sorted()
        return Step(
            "packages", .storage, "Debian's packages \(wanted.joined(separator: ", "))", contents: .data,
            resources: wanted.map { Resource(.debianPackage, $0) },
            look: {
                let missing = try await Self.missing(wanted, on: machine)
                return missing.isEmpty ? .done : .missing("missing: \(missing.joined(separator: ", "))")
            },
            prepare: { try await Self.missing(wanted, on: machine).joined(separator: " ") },
            make: {
                let options = ["-q", "-o", "Acquire::Retries=3", "-o", "DPkg::Lock::Timeout=600"]
                try await machine.inside(["apt-get"] + options + ["update"])
                try await machine.inside(["apt-get"] + options + ["install", "-y", "--no-install-recommends", "--"] + wanted)
            },
            undo: { before, _ in
                let added = before.split(separator: " ").map(String.init)
                let still = try await Self.missing(added, on: machine)
                let present = added.filter { !still.contains($0) }
                guard !present.isEmpty else { return .gone }
                // dpkg, since it refuses what something else needs by now, where apt would remove that as well.
                let place = machine.isThisOne ? [] : ["--root=\(machine.root)"]
                try await machine.run(["dpkg"] + place + ["--remove"] + present, mayFail: true)
                let left = try await Self.missing(present, on: machine)
                let kept = present.filter { !left.contains($0) }
                return kept.isEmpty ? .gone : .left("other packages need \(kept.joined(separator: ", "))")
            })
    }

    /// Those that are not installed. Source: dpkg-query(1), the fields of `--showformat`.
    private static func missing(_ names: [String], on machine: HostMachine) async throws -> [String] {
        guard !names.isEmpty else { return [] }
        let place = machine.isThisOne ? [] : ["--admindir=\(machine.place("/var/lib/dpkg"))"]
        // It exits 1 where it does not know a name: that one is missing, not an error.
        let answer = try await machine.run(
            ["dpkg-query"] + place + ["-W", "-f", "${db:Status-Abbrev}${Package}\\n"] + names, mayFail: true)
        let present = Set(answer.text.split(separator: "\n").filter { $0.hasPrefix("ii ") }.map { String($0.dropFirst(3)) })
        return names.filter { !present.contains($0) }
    }

    func users() -> Step {
        let machine = self.machine
        let wanted = source.accounts
        return Step(
            "users", .storage, "the users \(wanted.users.joined(separator: ", "))", contents: .data,
            resources: wanted.users.map { Resource(.account, $0) },
            look: {
                let accounts = try machine.accounts()
                let missing = wanted.users.filter { !accounts.hasUser($0) }
                if !missing.isEmpty { return .missing("missing: \(missing.joined(separator: ", "))") }
                let isComplete = wanted.members.allSatisfy { accounts.isMember($0.user, of: $0.group) }
                return isComplete ? .done : .missing("a user is not in its groups")
            },
            prepare: {
                let accounts = try machine.accounts()
                let users = wanted.users.filter { !accounts.hasUser($0) }.map { "u:\($0)" }
                let groups = Set(wanted.users + wanted.members.map(\.group)).filter { !accounts.hasGroup($0) }.map { "g:\($0)" }
                return (users + groups.sorted()).joined(separator: " ")
            },
            make: {
                // By its name in /usr/lib/sysusers.d: a path would be one of this machine.
                try await machine.run(["systemd-sysusers"] + (machine.isThisOne ? [] : ["--root=\(machine.root)"]) + ["strata.conf"])
            },
            undo: { before, _ in try await Self.removeAccounts(before, on: machine) })
    }

    /// Users first, each with the group of its name; a group that somebody else is in by now stays.
    private static func removeAccounts(_ before: String, on machine: HostMachine) async throws -> Step.Undone {
        let names = before.split(separator: " ").map { (kind: $0.prefix(2), name: String($0.dropFirst(2))) }
        let place = machine.isThisOne ? [] : ["--prefix", machine.root]
        for (kind, name) in names where kind == "u:" {
            if try machine.accounts().hasUser(name) { try await machine.run(["userdel"] + place + [name]) }
        }
        var left: [String] = []
        for (kind, name) in names where kind == "g:" {
            guard try machine.accounts().hasGroup(name) else { continue }
            if try await !machine.run(["groupdel"] + place + [name], mayFail: true).isSuccess { left.append(name) }
        }
        return left.isEmpty ? .gone : .left("somebody else is in the groups \(left.joined(separator: ", "))")
    }
}
