"""Records what Spark answers for odd JSON lines: `python record.py > spark_answers.json` with pyspark 4.3.0 and Java 17.

Each line is read alone, as a file of its own, by `spark.read.schema(...).options(...).json(...)`. Rows are texts, as Arrow's
display shows them; null where Spark refused to read at all. Lines that are not UTF-8 are lists of bytes.
"""
import datetime
import json
import math
import os
import tempfile
import time

os.environ["TZ"] = "UTC"
time.tzset()
from pyspark.sql import Row, SparkSession  # noqa: E402

spark = (
    SparkSession.builder.master("local[1]")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.ui.enabled", "false")
    .config("spark.driver.extraJavaOptions", "-Duser.timezone=UTC")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("OFF")
answers = []
path = os.path.join(tempfile.mkdtemp(), "line.json")


def shown(value):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else repr(value).replace("e+", "e")
    if isinstance(value, datetime.datetime):
        fraction = f".{value.microsecond:06}" if value.microsecond else ""
        if fraction.endswith("000"):
            fraction = fraction[:-3]
        return value.strftime("%Y-%m-%dT%H:%M:%S") + fraction
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    if isinstance(value, Row):
        return "{" + ", ".join(f"{k}: {shown(v)}" for k, v in value.asDict().items()) + "}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {shown(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(shown(v) for v in value) + "]"
    return str(value)


def case(title, schema, lines, **options):
    entry = {"title": title, "schema": schema, "options": options, "lines": []}
    for line in lines:
        data = line if isinstance(line, bytes) else line.encode()
        with open(path, "wb") as file:
            file.write(data + b"\n")
        try:
            rows = spark.read.schema(schema).options(**options).json(path).collect()
            rows = [[shown(value) for value in row] for row in rows]
        except Exception:
            rows = None
        try:
            text = data.decode()
        except UnicodeDecodeError:
            text = list(data)
        entry["lines"].append({"line": text, "rows": rows})
    answers.append(entry)


C = "_corrupt_record STRING"
case("string", "a STRING, "+C, ['{"a":1}','{"a":1.50}','{"a":1e3}','{"a":true}','{"a":null}','{"a":{"x": 1,  "y":[1, 2]}}','{"a":[1, "b\\u0041"]}','{"a":""}','{"a":"x\\u0041\\n\\/"}','{"a":NaN}','{"a":"\\ud83d\\ude00"}','{"a":"\\ud83d"}','{"a":"\\udc00x"}', '{"a":"x\\qy","b":2}', '{"a":-0}', '{"a":{"x":"\\u0041"}}',"{'a':'it\\'s'}", "{'a':{'x':'y'}}"])
case("malformed", "a STRING, b INT, "+C, ['','   ','null','"x"','5','[]','[{"a":"1"},{"a":"2"}]','[{"a":"1","b":"x"},{"a":"2"}]','[1]','[null]','[{"a":"1"},5]','[{"a":"1"}','{"a":"1"} trailing','{"a":"1"}{"a":"2"}','{"a":"1","b":2','{"a":"1","b":2]','{"a":"1" "b":2}','{"a":"1",}','{"a":"1",,"b":2}','{a:1}','{oops','not json','{"b":"x","a":"k"}','{"b":2.5,"a":"k"}','{"b":1,"b":2}','{"b":1,"b":"x"}','{"b":1,"b":null}','{"B":1}','{"a":"1","z":tru}','{"a":"1","z":01}','{"a":"1","z":1.}','{"a":"1","z":+1}','{"a":"1","z":.5}','{"a":"1","z":"x\\q"}','{"a":"1","z":"tab\there"}','{"a":"tab\there","b":1}','{"z":{"q":[1,{"k":2}]},"a":"ok"}','{"a":"x","z":{"q":[1,}}','{"a":"1"}]','{"a":"1","z":[1,2}','  {"a":"1"}  ','{"a":"1"/*c*/}','{"\\u0061":"esc"}','{}','{"a":"unterminated','{"b":12a}','{"b":1.5.5}','{"b":--1}','{"b":-}','{"a":"1","b":truex}', '[{"a":"1"}] x', '[[{"a":"1"}]]', '{"b":1 ,"a" : "s" }','{"b":\t1}', '{"a":1,"b":1e400}', '{"z":1e400,"a":"q"}', 'nul', '\ufeff{"a":"bom"}'.encode(), '{"b":[1,2,{"a":"inner"}],"a":"outer"}', '{"b":{"a":"inner"},"a":"outer"}','{"b":"","a":"k"}', '{"b":true}', '[{"a":"1"},null]','[{"a":"1","b":"x"},5]', '[{"a":"1"},{"a":', '{"a":"1","":3}', '{"b":2147483648}','{"b":-2147483648}','{"b":1E0}', "{'b':3}", '{"b":3};','{"a":tru,"b":3}','{"a":"z","b":nul}'])
case("utf8", "a STRING, b INT, "+C, [b'{"a":"\xff\xfe","b":1}', b'{"z":"\xff\xfe","b":1}', b'{"a":"caf\xc3\xa9","b":1}', b'{"a":"\xf0\x9f\x98\x80","b":1}',b'{"a":"\x00","b":1}',b'{"\xff":1,"b":1}'])
case("ints", "y TINYINT, s SMALLINT, i INT, l BIGINT, "+C, ['{"y":127,"s":32767,"l":9223372036854775807}','{"y":128}','{"y":255}','{"y":256}','{"y":-129}','{"s":32768}','{"l":9223372036854775808}','{"l":1.0}','{"l":"5"}','{"i":-0}','{"l":-9223372036854775808}','{"l":99999999999999999999999}'])
case("floats", "d DOUBLE, f FLOAT, "+C, ['{"d":1,"f":1}','{"d":0.1,"f":0.5}','{"d":"NaN","f":"NaN"}','{"d":NaN,"f":-INF}','{"d":Infinity}','{"d":+Infinity}','{"d":-Infinity}','{"d":INF}','{"d":+INF}','{"d":"INF"}','{"d":"+INF"}','{"d":"-INF"}','{"d":"Infinity"}','{"d":"+Infinity"}','{"d":"-Infinity"}','{"d":"1.5"}','{"d":""}','{"d":1e400}','{"d":-0.0}','{"d":true}','{"f":1e39}','{"d":1E5}','{"d":1e+5}','{"d":1e}','{"d":nan}','{"d":"nan"}','{"d":-NaN}', '{"d":+NaN}', '{"d":123456789012345678901234567890}', '{"f":16777217}'])
case("nonnum off", "d DOUBLE, "+C, ['{"d":NaN}','{"d":"NaN"}','{"d":"Infinity"}'], allowNonNumericNumbers="false")
case("bool", "b BOOLEAN, "+C, ['{"b":true}','{"b":"true"}','{"b":1}','{"b":TRUE}'])
case("decimal", "d DECIMAL(5,2), e DECIMAL(38,18), "+C, ['{"d":1.005}','{"d":1.004}','{"d":-1.005}','{"d":999.99}','{"d":999.995}','{"d":1000}','{"d":"12.5"}','{"d":"1,234.5"}','{"d":"x"}','{"d":""}','{"d":1e2}','{"d":"1e2"}','{"d":" 1"}','{"d":"+1"}','{"d":NaN}','{"d":"1,2"}','{"d":"12a"}','{"e":12345678901234567890.123456789012345678}','{"e":123456789012345678901}', '{"d":1e-10}','{"d":"1."}','{"d":".5"}','{"d":true}','{"d":1e1000000}', '{"d":"1E2"}','{"d":"--1"}'])
case("date", "d DATE, "+C, ['{"d":"2026-01-01"}','{"d":"2026-1-1"}','{"d":"2026"}','{"d":"2026-01"}','{"d":"2026-01-01 x"}','{"d":"2026-01-01T10:00:00Z"}','{"d":" 2026-01-01 "}','{"d":"2026-02-30"}','{"d":"12:00:00"}','{"d":"123"}','{"d":20000}','{"d":""}','{"d":"-123"}','{"d":"2026-01-01GMT"}','{"d":"+2026-01-01"}','{"d":"2026-"}','{"d":"123x"}'])
case("ts", "t TIMESTAMP, "+C, ['{"t":"%s"}'%x for x in ["2026-01-01","2026-01-01 09:00:00.25","2026-01-01T09:00:00Z","2026-01-01T09:00:00.123456789Z","2026-01-01T09:00:00+01:00","2026-01-01T09:00:00 Europe/Paris","2026-01-01T09:00:00Europe/Paris","2026-1-1 9:0:0","2026-01-01 09:00","2026-01-01 09","2026-01-01T","2026-01-01 ","2026","2026-01","2026-01-01 24:00:00","2026-01-01 23:59:60","2026-01-01 09:00:00.","2026-01-01 09:00:00+1:00","2026-01-01 09:00:00+01:0","2026-01-01 09:00:00+0100","2026-01-01 09:00:00+01","2026-01-01 09:00:00 PST","2026-01-01 09:00:00 EST","2026-01-01 09:00:00UTC+2","2026-01-01 09:00:00 CET","2026-01-01GMT","2026-01-01 09:00:00GMT","2026-01-01 09:00:00 GMT+02:00","2026-01-01 09:00Z","2026-01-01 09:00+01:00","2026-01-01 09:00:00 Z","2026-01-01 09:00:00z","2026-01-01t09:00:00","","x","2026-13-01","2026-01-01 09:00:00.123Z x","2026-01-01  09:00:00","1600-02-29 00:00:00","2026-01-01 09:00:00 +18:00","2026-01-01 09:00:00 +19:00", "2026-01-01 09:00:00:", "2026-01-01 09:00:00.5:5"]]+['{"t":1767258000}','{"t":1.5}','{"t":-1}','{"t":true}','{"t":9223372036854775}'])
case("ntz", "t TIMESTAMP_NTZ, "+C, ['{"t":"2026-01-01 09:00:00.25"}','{"t":"2026-01-01T09:00:00Z"}','{"t":"2026-01-01"}','{"t":1}'])
case("ts ny", "t TIMESTAMP, "+C, ['{"t":"2026-03-08 02:30:00"}','{"t":"2026-11-01 01:30:00"}','{"t":"2026-01-01"}','{"t":"1800-01-01"}'], timeZone="America/New_York")
case("binary", "b BINARY, "+C, ['{"b":"aGk="}','{"b":"aGk"}','{"b":"a GkK"}','{"b":"!!"}','{"b":""}','{"b":1}','{"b":"aGk=\\n"}','{"b":"aG\\u006b="}','{"b":"a"}','{"b":"aG"}','{"b":"_-=="}', '{"b":"aGk=aGk="}'])
case("nested", "s STRUCT<x: INT, y: STRING>, l ARRAY<INT>, m MAP<STRING, INT>, k INT, "+C, ['{"s":{"x":"bad","y":"ok"},"k":1}','{"s":5,"k":1}','{"s":[],"k":1}','{"l":[1,"x",3],"k":1}','{"l":[1,null,3],"k":1}','{"l":{"a":1},"k":1}','{"m":{"a":1,"b":"x","c":3},"k":1}','{"m":[1],"k":1}','{"s":{},"l":[],"m":{},"k":1}','{"s":null,"l":null,"m":null}','{"l":5,"k":1}','{"l":[1,[2],3],"k":1}','{"l":["x",{"k":9}],"s":{"x":1}}','{"s":{"x":1,"x":2}}','{"m":{"a":null}}','{"s":"","k":2}','{"l":"","k":2}','{"s":{"x":1},"s":{"y":"2"}}','{"s":{"x":1},"s":7}', '{"l":[1],"l":[2,"x"]}', '{"l":[1,2','{"l":[1,"x"', '{"m":{"a":"x"', '{"l":[1,"x",tru],"k":1}'])
case("deep", "a ARRAY<STRUCT<x: INT>>, aa ARRAY<ARRAY<INT>>, ms MAP<STRING, STRUCT<x: INT>>, ma MAP<STRING, ARRAY<INT>>, st STRUCT<in: STRUCT<x: INT>>, k INT, "+C, ['{"a":[{"x":"bad"},{"x":2}],"k":1}','{"a":[5,{"x":2}],"k":1}','{"a":[null,{"x":2}],"k":1}','{"aa":[[1,"x"],[2]],"k":1}','{"ms":{"a":{"x":"bad"},"b":{"x":2}},"k":1}','{"ms":{"a":5,"b":{"x":2}},"k":1}','{"ma":{"a":[1,"x"],"b":[2]},"k":1}','{"st":{"in":{"x":"bad"}},"k":1}','{"st":{"in":5},"k":1}','{"a":{"x":1}}','{"aa":[[1],5,[2]],"k":1}', '{"ma":{"a":["x",{"k":1}]},"k":1}'])
case("prim as string", "a INT, "+C, ['{"a":1}'], primitivesAsString="true")
case("single off", "a STRING, "+C, ["{'a':'x'}",'{"a":"x"}'], allowSingleQuotes="false")
case("unquoted", "a STRING, b INT, "+C, ["{a:1,b:2}","{a_1:1,b:2}","{a-b:1,b:2}","{$a:1,b:3}","{a b:1}","{1a:1,b:2}"], allowUnquotedFieldNames="true")
case("leading zeros", "a INT, s STRING, "+C, ['{"a":007}','{"a":-007}','{"a":00}','{"s":007}','{"a":00.5}'], allowNumericLeadingZeros="true")
case("backslash any", "a STRING, "+C, ['{"a":"x\\qy"}',"{\"a\":\"it\\'s\"}"], allowBackslashEscapingAnyCharacter="true")
case("comments", "a STRING, b INT, "+C, ['{"a":"1",/*c*/"b":2}','{"a":"1"}//x','//x','/* c */ {"a":"q"}'], allowComments="true")
case("ctrl", "a STRING, "+C, ['{"a":"x\ty"}'], allowUnquotedControlChars="true")
case("drop", "a STRING, b INT", ['{"a":"1","b":2}','{"a":"1","b":"x"}','{oops','null','[]','[{"a":"1"},{"b":"x"}]',''], mode="DROPMALFORMED")
case("failfast", "a STRING, b INT", ['{"a":"1","b":2}','{"a":"1","b":"x"}','{oops','null','{"a":"'+'x'*300+'","b":"x"}'], mode="FAILFAST")
case("no corrupt col", "a STRING, b INT", ['{"a":"1","b":"x"}','{oops','[{"a":"1","b":"x"},{"a":"2"}]'])
case("corrupt named", "a STRING, b INT, bad STRING", ['{"a":"1","b":"x"}','{"bad":"in data","a":"z"}'], columnNameOfCorruptRecord="bad")
case("corrupt in data", "a STRING, b INT, "+C, ['{"_corrupt_record":"mine","a":"z"}'])
case("not null", "a INT NOT NULL, b INT", ['{"b":1}'])
case("tsfmt", "t TIMESTAMP, "+C, ['{"t":"01/02/2026 03:04"}','{"t":"2026-01-01"}','{"t":5}'], timestampFormat="dd/MM/yyyy HH:mm")
case("datefmt", "t DATE, "+C, ['{"t":"01/02/2026"}','{"t":"2026-01-01"}','{"t":"31/02/2026"}'], dateFormat="dd/MM/yyyy")
case("fallback", "t TIMESTAMP, "+C, ['{"t":"2026-01-01"}'], timestampFormat="dd/MM/yyyy HH:mm", enableDateTimeParsingFallback="true")
case("ntzfmt", "t TIMESTAMP_NTZ, "+C, ['{"t":"01/02/2026 03:04"}','{"t":"2026-01-01"}'], timestampNTZFormat="dd/MM/yyyy HH:mm")
case("deepnest", "a STRING, "+C, ['{"z":'+'['*999+']'*999+',"a":"x"}','{"z":'+'['*1000+']'*1000+',"a":"x"}', '{"a":'+'9'*1000+'}','{"a":'+'9'*1001+'}','{"z":'+'9'*1001+'}'])
print("[")
for number, entry in enumerate(answers):
    lines = entry.pop("lines")
    print(json.dumps(entry, ensure_ascii=True)[:-1] + ', "lines": [')
    print(",\n".join("  " + json.dumps(line, ensure_ascii=True) for line in lines))
    print("]}" + ("," if number + 1 < len(answers) else ""))
print("]")
