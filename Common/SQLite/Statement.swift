import CSQLite

/// A prepared statement; finalised when it goes. Belongs to its connection's thread.
final class Statement {
    let raw: OpaquePointer
    let sql: String
    /// Column names with their places; filled at the first row.
    private var columns: [String: CInt] = [:]
    /// Being stepped: a second use of the same text meanwhile needs a statement of its own.
    var isRunning = false

    init(_ sql: String, on database: OpaquePointer) throws(SQLiteError) {
        var statement: OpaquePointer?
        var count: CInt = 0
        var rest = sql
        let code = rest.withUTF8 { text -> CInt in
            text.withMemoryRebound(to: CChar.self) { text in
                var tail: UnsafePointer<CChar>?
                let code = sqlite3_prepare_v3(
                    database, text.baseAddress, CInt(text.count), UInt32(SQLITE_PREPARE_PERSISTENT), &statement, &tail)
                if let tail, let start = text.baseAddress { count = CInt(tail - start) }
                return code
            }
        }
        guard code == SQLITE_OK else { throw SQLiteError("sqlite3_prepare_v3", of: database, sql: sql) }
        guard let statement else { throw SQLiteError("sqlite3_prepare_v3", code: SQLITE_MISUSE, message: "an empty statement", sql: sql) }
        let tail = sql.utf8.dropFirst(Int(count))
        guard tail.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: ";") }) else {
            sqlite3_finalize(statement)
            throw SQLiteError("sqlite3_prepare_v3", code: SQLITE_MISUSE, message: "more than one statement", sql: sql)
        }
        raw = statement
        self.sql = sql
    }

    deinit { sqlite3_finalize(raw) }

    func bind(_ values: [SQLiteValue]) throws(SQLiteError) {
        let expected = sqlite3_bind_parameter_count(raw)
        guard Int(expected) == values.count else {
            throw SQLiteError("bind", code: SQLITE_RANGE, message: "\(values.count) values for \(expected) parameters", sql: sql)
        }
        for (offset, value) in values.enumerated() {
            let index = CInt(offset + 1)
            let code: CInt
            switch value {
            case .null: code = sqlite3_bind_null(raw, index)
            case .integer(let integer): code = sqlite3_bind_int64(raw, index, integer)
            case .real(let real): code = sqlite3_bind_double(raw, index, real)
            case .text(var text):
                code = text.withUTF8 { bytes in
                    bytes.withMemoryRebound(to: CChar.self) { strata_bind_text(raw, index, $0.baseAddress, UInt64($0.count)) }
                }
            case .blob(let bytes): code = strata_bind_blob(raw, index, bytes, UInt64(bytes.count))
            }
            guard code == SQLITE_OK else { throw SQLiteError("sqlite3_bind", of: sqlite3_db_handle(raw), sql: sql) }
        }
    }

    /// Steps once; true where there is a row.
    func step() throws(SQLiteError) -> Bool {
        switch sqlite3_step(raw) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default: throw SQLiteError("sqlite3_step", of: sqlite3_db_handle(raw), sql: sql)
        }
    }

    /// Ready for its next use; drops the bound values.
    func reset() {
        // Its result repeats the error of the last step, which was thrown already.
        sqlite3_reset(raw)
        sqlite3_clear_bindings(raw)
        isRunning = false
    }

    func column(_ name: String) throws(SQLiteError) -> CInt {
        if columns.isEmpty {
            for index in 0..<sqlite3_column_count(raw) {
                columns[String(cString: sqlite3_column_name(raw, index))] = index
            }
        }
        guard let index = columns[name] else { throw .mismatch("there is no column '\(name)'", sql: sql) }
        return index
    }

    func value(at index: CInt) -> SQLiteValue {
        switch sqlite3_column_type(raw, index) {
        case SQLITE_INTEGER: return .integer(sqlite3_column_int64(raw, index))
        case SQLITE_FLOAT: return .real(sqlite3_column_double(raw, index))
        case SQLITE_TEXT:
            guard let text = sqlite3_column_text(raw, index) else { return .text("") }
            let bytes = UnsafeBufferPointer(start: text, count: Int(sqlite3_column_bytes(raw, index)))
            return .text(String(decoding: bytes, as: UTF8.self))
        case SQLITE_BLOB:
            let start = sqlite3_column_blob(raw, index)
            return .blob(Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(raw, index)))))
        default: return .null
        }
    }
}

/// The row a statement stands on; it cannot outlive the closure that is given it.
package struct Row: ~Copyable {
    private let statement: Statement

    init(_ statement: Statement) { self.statement = statement }

    /// The value of a column; its type is what the caller asks for.
    ///
    /// - Throws: a `.mismatch` where there is no such column or it holds something else.
    package subscript<Value: ColumnValue>(_ name: String) -> Value {
        get throws(SQLiteError) {
            let stored = statement.value(at: try statement.column(name))
            guard let value = Value(stored) else {
                throw .mismatch("column '\(name)' does not hold a \(Value.self)", sql: statement.sql)
            }
            return value
        }
    }
}
