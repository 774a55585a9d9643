## 결과 하나 읽기
section-samples-grid = 시드와 샘플
grid-seed = 시드 { $seed }
grid-cell = 시드 { $seed }, 샘플 { $sample }: { $rank }위, 순위 점수 { $score }
grid-note = 샘플마다의 순위 점수로, 밝을수록 좋아요. 누르면 보여 줘요.
section-plddt = 서열에 따른 pLDDT
plddt-axis = pLDDT, 0에서 100
axis-residue = 잔기 순서
sequence-row = 사슬 { $chain }의 서열, { $first }번에서 { $last }번
section-errors = 쌍의 예측 오차
errors-none = 이 실행은 오차 지도를 저장하지 않았어요. 이 창에서 시작한 실행은 저장하며, 명령줄에서는 --save-confidence를 쓰세요.
errors-pae = PAE
errors-pde = PDE
errors-map-pae = 예측 정렬 오차(PAE) 지도, Å
errors-map-pde = 예측 거리 오차(PDE) 지도, Å
errors-aligned-on = 정렬 기준
errors-scored = 평가 대상
errors-first = 첫째 토큰
errors-second = 둘째 토큰
errors-hint = 상자를 끌어 그리면 그 토큰이 화면에 표시돼요. 가장자리의 파란 표시는 화면에서 선택한 것이에요.
errors-box = 행 { $aligned }, 열 { $scored }, 평균 오차 { $mean } Å
errors-save-png = 지도를 PNG로 저장…
errors-save-csv = 지도를 CSV로 저장…
section-site = 상호작용 그림
site-description = 상호작용 { $count }개를 담은 리간드 자리의 그림
site-save-svg = 그림을 SVG로 저장…
site-save-png = 그림을 PNG로 저장…
section-affinity = 예측 친화도
affinity-text = 예측 pK { $value }, 농도로는 약 { $middle }이에요. 흔한 오차 ±{ $error }를 생각하면 { $strong }에서 { $weak }까지 모두 가능하니, 측정값이 아니라 리간드의 순서를 정하는 데 쓰세요.
affinity-head-note = K-Fold 친화도 헤드가 예측한 활성(mol/L의 pK), { $count ->
    [one] 시드 1개
   *[other] 시드 { $count }개의 평균과 퍼짐
}
checks-all-passed = 모든 검사 통과
