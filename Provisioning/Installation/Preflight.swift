/// A question to the machine before anything is made on it.
package struct PreflightProbe: Sendable {
    package enum Need: String, Sendable, Codable {
        /// Without it nothing is begun.
        case required
        /// Without it something will be worse, and it is said what.
        case optional
    }

    package enum Verdict: Hashable, Sendable {
        /// What was found.
        case passed(String)
        /// What was found, and what whoever installs should do.
        case failed(String, advice: String)

        package var hasPassed: Bool { if case .passed = self { true } else { false } }
    }

    package let name: String
    package let need: Need
    /// Bounds its own time, and leaves nothing behind.
    package let ask: @Sendable () async -> Verdict

    package init(_ name: String, _ need: Need, ask: @escaping @Sendable () async -> Verdict) {
        self.name = name
        self.need = need
        self.ask = ask
    }
}

/// What a probe has found.
package struct Finding: Hashable, Sendable {
    package let name: String
    package let need: PreflightProbe.Need
    package let verdict: PreflightProbe.Verdict

    package init(_ name: String, _ need: PreflightProbe.Need, _ verdict: PreflightProbe.Verdict) {
        self.name = name
        self.need = need
        self.verdict = verdict
    }

    package var isBlocking: Bool { need == .required && !verdict.hasPassed }
}

/// Asks all probes at the same time.
///
/// - Returns: the findings in the probes' order.
package func preflight(_ probes: [PreflightProbe]) async -> [Finding] {
    await withTaskGroup(of: (Int, Finding).self) { group in
        for (index, probe) in probes.enumerated() {
            group.addTask { (index, Finding(probe.name, probe.need, await probe.ask())) }
        }
        var found: [Int: Finding] = [:]
        for await (index, finding) in group { found[index] = finding }
        return probes.indices.compactMap { found[$0] }
    }
}
