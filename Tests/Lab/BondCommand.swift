import Foundation

/// `strata-lab bond`: the bond's table, from the simulator.
struct BondCommand {
    private var groups = BondCases.groups
    private var seeds = 1...UInt64(20)
    private var isJSON = false
    private var encoder: [String] = []

    /// - Parameter arguments: `[--seeds FIRST-LAST] [--json] [--encoder PROGRAM-AND-WORDS] [GROUP...]`; with an encoder its rows alone.
    init?(_ arguments: [String]) {
        var rest = arguments
        var named: [String] = []
        while let word = rest.first {
            rest.removeFirst()
            switch word {
            case "--json": isJSON = true
            case "--encoder":
                guard let words = rest.first?.split(separator: " "), !words.isEmpty else { return nil }
                rest.removeFirst()
                encoder = words.map(String.init)
            case "--seeds":
                let ends = (rest.first ?? "").split(separator: "-").compactMap { UInt64($0) }
                guard ends.count == 2, ends[0] <= ends[1] else { return nil }
                rest.removeFirst()
                seeds = ends[0]...ends[1]
            default:
                guard BondCases.groups.contains(word) || BondCases.studies.contains(word) else { return nil }
                named.append(word)
            }
        }
        if !named.isEmpty { groups = named }
    }

    static let usage =
        "bond [--seeds FIRST-LAST] [--json] [--encoder 'PROGRAM WORD...'] [\((BondCases.groups + BondCases.studies).joined(separator: "|"))]..."

    /// - Returns: the exit code: 1 if a row is not reached.
    func run() throws -> CInt {
        var isMissed = false
        if !isJSON {
            print("seeds \(seeds.lowerBound)-\(seeds.upperBound)")
            print(["", "mean", "median", "p10", "p90", "max", "unit"].enumerated().map { column($0.element, $0.offset) }.joined())
        }
        for group in encoder.isEmpty ? groups : ["encoder"] {
            for figure in try figures(group) {
                isMissed = isMissed || !figure.isReached
                isJSON ? sayJSON(figure) : say(figure)
            }
        }
        return isMissed ? 1 : 0
    }

    private func figures(_ group: String) throws -> [BondFigure] {
        let cases = BondCases(seeds: Array(seeds))
        guard !encoder.isEmpty else { return cases.run(group) }
        return try [2000, 1000, 400].flatMap { latency in
            try cases.encoded(latencyMs: latency, .fair) { try SteppedEncoder(encoder + ["\(latency)"]) }
        }
    }

    private func column(_ text: String, _ number: Int) -> String {
        let width = number == 0 ? 80 : 9
        let space = String(repeating: " ", count: max(0, width - text.count))
        return number == 0 ? text + space : space + text
    }

    private func say(_ figure: BondFigure) {
        let statistics: [BondFigure.Statistic] = [.mean, .median, .p10, .p90, .max]
        let numbers = statistics.map { String(format: "%.3f", figure.value($0)) }
        let reach = figure.reach.map { reach in
            "\(reach.statistic) " + (reach.most.map { "<= \(rounded($0))" } ?? reach.least.map { ">= \(rounded($0))" } ?? "")
        }
        let verdict = figure.reach.isEmpty ? "" : "   \(figure.isReached ? "ok" : "MISSED") (\(reach.joined(separator: ", ")))"
        let words = ["\(figure.row): \(figure.metric)"] + numbers + [figure.unit]
        print(words.enumerated().map { column($0.element, $0.offset) }.joined() + verdict)
    }

    private func rounded(_ value: Double) -> String { String(format: "%g", (value * 1000).rounded() / 1000) }

    private func sayJSON(_ figure: BondFigure) {
        let statistics: [BondFigure.Statistic] = [.mean, .median, .p10, .p90, .max]
        let spread = statistics.map { "\"\($0)\": \(figure.value($0))" }.joined(separator: ", ")
        print(
            """
            {"bench": "bonding", "case": "simulated: \(figure.row)", "metric": "\(figure.metric)", \
            "value": \(figure.value(figure.reach.first?.statistic ?? .mean)), "unit": "\(figure.unit)", "spread": {\(spread)}}
            """)
    }
}
