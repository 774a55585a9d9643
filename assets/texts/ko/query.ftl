## Query
query-name = 이름
query-name-hint = 영문자, 숫자, _ . -
section-structure = 단백질 구조
section-ligands = 리간드
section-pocket = 포켓
section-sequences = 서열
section-settings = 설정
structure-choose = 구조 선택…
structure-hint = PDB 또는 mmCIF, .gz도 돼요. 도킹에는 단백질의 알려진 구조가 필요해요.
structure-replace = 바꾸기…
structure-remove = 구조 제거
structure-from-apo = 하나뿐인 단백질의 비결합 구조
structure-others = 파일에 함께 있는 것: { $list }
structure-waters = { $count ->
   *[other] 물 분자 { $count }개
}
structure-models = { $count ->
   *[other] 모델 { $count }개 (도킹에는 첫 모델을 써요)
}
file-reading = 읽는 중…
chain-summary-protein = { $id } · 단백질, 잔기 { $count ->
   *[other] { $count }개
}
chain-summary-dna = { $id } · DNA, 뉴클레오타이드 { $count ->
   *[other] { $count }개
}
chain-summary-rna = { $id } · RNA, 뉴클레오타이드 { $count ->
   *[other] { $count }개
}
chain-summary-other = { $id } · 잔기 { $count ->
   *[other] { $count }개
}
entity-protein = 단백질 { $ids }
entity-dna = DNA { $ids }
entity-rna = RNA { $ids }
entity-pair = 단백질 쌍 { $ids }
entity-ligand = 리간드 { $ids }
entity-remove = { $name } 제거
sequence-length = { $count ->
   *[other] { $count }글자
}
sequence-of = { $name }의 서열
sequence-hint = 글자나 FASTA를 붙여 넣으세요
sequence-add-protein = 단백질 추가
sequence-add-dna = DNA 추가
sequence-add-rna = RNA 추가
sequences-hint = K-Fold와 기록에 쓰여요. 도킹은 구조를 읽어요.
apo-file = 비결합 상태 { $number }: { $name }
apo-remove = { $name } 제거
apo-add = 비결합 구조 추가…
apo-hint = 상대 없이 있는 이 단백질의 구조예요. 두 개가 있으면 그 사이의 변화를 볼 수 있어요.
smiles-hint = SMILES, 예: CC(=O)Oc1ccccc1C(=O)O
smiles-of = { $name }의 SMILES
smiles-empty = 리간드의 SMILES를 붙여 넣으면 여기에 그림이 나타나요
ligand-picture-of = { $name }의 구조식
ligand-numbers = { $formula } · { $weight } g/mol · { $rotatable ->
   *[other] 회전 가능한 결합 { $rotatable }개
}
ligand-drawing = 그리는 중…
ligand-ccd = 도킹은 성분 하나만 받아요. 여러 성분을 이은 리간드는 SMILES나 SDF로 주세요.
ligand-add-smiles = SMILES 추가
ligand-add-file = 파일 추가…
ligand-add-series = 계열 불러오기…
series-title = { $count ->
   *[other] 리간드 { $count }개의 계열
}
series-remove = 계열 제거
series-measured = pK { $pk }
series-more = 그 밖에 { $count }개
pocket-hint = 리간드가 결합할 자리를 정하세요: 파일 속 리간드 주변, 잔기 주변, 또는 상자. 정하지 않으면 도킹이 찾은 가장 좋은 포켓들을 탐색해요
pocket-kind-ligand = 리간드 파일
pocket-kind-residues = 잔기
pocket-kind-box = 상자
pocket-remove = 포켓 제거
pocket-reference = 이 리간드 둘레에 상자를 둬요. 같은 분자의 자세는 이것과 비교돼요.
pocket-around = { $name } 주변
pocket-padding = 여백
pocket-pick = 화면에서 잔기 고르기
pocket-residue = 추가할 잔기
pocket-residue-hint = A:145
pocket-residue-add = 추가
pocket-residue-remove = 잔기 { $name } 제거
pocket-center = 중심
pocket-size = 크기
pocket-box = ({ $center }) Å 둘레의 상자 { $size } Å

## Problems: why Predict is disabled
problem-name = 이름이 파일 이름이 돼요. 영문자, 숫자, _ . - 만 쓰세요.
problem-no-name = 쿼리에 이름을 붙이세요
problem-letter-protein = { $position }번째 글자 { $letter }은(는) 아미노산이 아니에요. 지우거나, 모르는 잔기라면 X로 쓰세요.
problem-letter-dna = { $position }번째 글자 { $letter }은(는) DNA 염기가 아니에요. A, C, G, T를 쓰고, 모르는 염기는 N으로 쓰세요.
problem-letter-rna = { $position }번째 글자 { $letter }은(는) RNA 염기가 아니에요. A, C, G, U를 쓰고, 모르는 염기는 N으로 쓰세요.
problem-empty-sequence = 빈 서열이 있어요. 글자를 붙여 넣거나 제거하세요.
problem-no-structure = 단백질 구조를 선택하세요
problem-several-proteins = 단백질이 여럿이에요. 도킹할 구조를 선택하세요.
problem-structure-reading = 구조를 읽고 있어요
problem-structure-failed = 구조를 읽지 못했어요. 다른 파일을 선택하세요.
problem-no-ligand = 리간드를 추가하세요: SMILES를 붙여 넣거나 파일을 선택하세요
problem-no-entry = 단백질, DNA, RNA 또는 리간드를 추가하세요
problem-no-weights = K-Fold 가중치가 { $folder }에 없어요: “kfold-studio models”로 가져오세요
problem-empty-smiles = SMILES가 비어 있는 리간드가 있어요. 붙여 넣거나 리간드를 제거하세요.
problem-wrong-ligand = 이해할 수 없는 리간드가 있어요. 고쳐 주세요.
problem-no-residues = 포켓의 잔기를 A:145처럼 쓰거나 화면에서 고르세요
problem-residue = 구조에 잔기 { $name }이(가) 없어요. 사슬이나 번호를 고치세요.
problem-pocket-reading = 포켓을 읽고 있어요

## 다른 프로그램의 쿼리
import-done = { $program }용 파일을 K-Fold 쿼리로 열었어요. 저장할 때 새 파일을 물어봐요.
import-left-out = 가져오지 못한 것 { $count }개:
import-more = 그 밖에 { $count }개
import-other-jobs = 파일에 다른 작업이 { $count }개 더 있지만 열지 않았어요: { $names }
